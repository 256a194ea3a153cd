"""What was found in the rows that train, of which a model is built: the reader, and each task's classes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from intertask.data.rows import Rows
from intertask.data.seam import INPUT, RowFields
from intertask.inputs import Kind, Reader
from intertask.model import Model, ModelConfig
from intertask.model.sizes import refuse_huge_model
from intertask.nn.dimensions import Dimensions
from intertask.options.config import Config
from intertask.options.seeds import derive
from intertask.tasks import TaskConfig
from intertask.tasks._rows import RowTaskConfig


@dataclass(frozen=True)
class Read:
    """What the inputs read of many rows.

    Args:
        fields: By the names of the inputs, as a batch has them.
    """

    fields: Mapping[str, RowFields]

    @property
    def lengths_B(self) -> Tensor:  # noqa: N802
        """Places of each row in the sequence of all inputs."""
        return torch.stack([own.lengths_B for own in self.fields.values()]).sum(0)

    def take(self, rows: NDArray[np.int64]) -> "Read":
        """Some of the rows."""
        return Read({name: own.take(rows) for name, own in self.fields.items()})


@dataclass(frozen=True)
class Facts:
    """All that a model keeps of its training rows, beside its weights.

    Args:
        readers: Of each input, by its name.
        answers: Of each task, its classes or the spread of its numbers.
    """

    readers: Mapping[str, Reader]
    answers: Mapping[str, Config]

    @classmethod
    def fit(cls, config: ModelConfig, training: Rows, known: "Facts | None" = None) -> "Facts":
        """What some training rows say.

        Args:
            config: Of the model.
            training: The rows that train.
            known: Facts with what readers have of elsewhere, such as a pretrained encoder.

        Raises:
            RecipeError: A task asks for what is no label of theirs.
            DataError: They say nothing, or nothing can be learned of a label.
        """
        answers = {name: row_task(task).fit(name, training) for name, task in config.tasks.items()}
        readers = {
            name: own.fit(training) if known is None else own.refit(training, known.readers[name])
            for name, own in config.named_inputs.items()
        }
        return cls(readers, answers)

    def read(self, rows: Rows) -> Read:
        """What the inputs read of rows that have the columns of those that train."""
        return Read({name: reader.read(rows) for name, reader in self.readers.items()})

    def plain(self, rows: Rows) -> Rows:
        """Rows with numbers in place of their files, for references, which read cells."""
        found = [reader.plain(rows) for reader in self.readers.values()]
        told = (
            pl.concat([own for own in found if own is not None], how="horizontal")
            if any(own is not None for own in found)
            else pl.DataFrame()
        )
        kept = rows.inputs.drop(rows.files)
        numbers = told.select(pl.all().cast(pl.Float32)).drop(kept.columns, strict=False)
        return replace(rows, inputs=pl.concat([kept, numbers], how="horizontal")) if numbers.width else rows

    @property
    def columns(self) -> dict[str, Kind]:
        """The columns that the inputs read, each once."""
        return {name: kind for reader in self.readers.values() for name, kind in reader.columns.items()}

    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures should know of what was found, each in a line."""
        return tuple(dict.fromkeys(note for reader in self.readers.values() for note in reader.notes()))

    @classmethod
    def of(cls, config: ModelConfig, table: Mapping[str, object]) -> "Facts":
        """The facts that `table` made.

        Raises:
            ValueError: They are others, or those of other tasks.
        """
        answers = table.get("answers")
        if not isinstance(answers, Mapping) or answers.keys() != config.tasks.keys():
            raise ValueError(f"answers of the tasks {', '.join(config.tasks)}")
        read, inputs = table.get("readers", {INPUT: table.get("reader")}), config.named_inputs
        if not isinstance(read, Mapping) or read.keys() != inputs.keys():
            raise ValueError(f"readers of the inputs {', '.join(inputs)}")
        return cls(
            {name: own.reader(read[name]) for name, own in inputs.items()},
            {name: row_task(task).facts(answers[name]) for name, task in config.tasks.items()},
        )

    @classmethod
    def of_model(cls, model: Model) -> "Facts":
        """The facts that a model was built of."""
        fields, answers = model.dimensions.fields, model.dimensions.answers
        readers = {name: reader for name, reader in fields.items() if isinstance(reader, Reader)}
        return cls(readers, {name: facts for name, facts in answers.items() if isinstance(facts, Config)})

    def table(self) -> dict[str, object]:
        """The facts as JSON holds them."""
        answers = {name: facts.model_dump(mode="json") for name, facts in self.answers.items()}
        read = {name: reader.model_dump(mode="json") for name, reader in self.readers.items()}
        one = read.keys() == {INPUT}
        return {"reader": read[INPUT], "answers": answers} if one else {"readers": read, "answers": answers}

    def dimensions(self, config: ModelConfig) -> Dimensions:
        """The sizes of a model."""
        return Dimensions(
            config.width,
            config.max_length,
            tuple(config.tasks),
            fields=self.readers,
            answers=self.answers,
        )


def row_task(task: TaskConfig) -> RowTaskConfig:
    """A task that is asked of rows, as such; recipes with others have been refused."""
    assert isinstance(task, RowTaskConfig)
    return task


def build(
    config: ModelConfig,
    facts: Facts,
    seed: int,
    stream: str = "",
    shared: Mapping[str, nn.Module] | None = None,
) -> Model:
    """An untrained model for rows, its weights drawn from the seed and the stream's name.

    Raises:
        RecipeError: Its parts do not fit each other, or it would not fit into memory.
    """
    dimensions = facts.dimensions(config)
    refuse_huge_model(config, dimensions)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "weights", *([stream] if stream else [])))
        return Model(config, dimensions, shared)
