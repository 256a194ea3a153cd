"""What was found in the rows that train, of which a model is built: the reader, and each task's classes."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from intertask.config import Config
from intertask.data.rows import Rows
from intertask.data.seam import INPUT
from intertask.inputs import Reader
from intertask.model import Model, ModelConfig
from intertask.nn.dimensions import Dimensions
from intertask.seeds import derive
from intertask.sizes import refuse_huge_model
from intertask.tasks import TaskConfig
from intertask.tasks._rows import RowTaskConfig


@dataclass(frozen=True)
class Facts:
    """All that a model keeps of its training rows, beside its weights.

    Args:
        reader: Of the input.
        answers: Of each task, its classes or the spread of its numbers.
    """

    reader: Reader
    answers: Mapping[str, Config]

    @classmethod
    def fit(cls, config: ModelConfig, training: Rows) -> "Facts":
        """What some training rows say.

        Raises:
            RecipeError: A task asks for what is no label of theirs.
            DataError: They say nothing, or nothing can be learned of a label.
        """
        answers = {name: row_task(task).fit(name, training) for name, task in config.tasks.items()}
        return cls(config.input.fit(training), answers)

    @classmethod
    def of(cls, config: ModelConfig, table: Mapping[str, object]) -> "Facts":
        """The facts that `table` made.

        Raises:
            ValueError: They are others, or those of other tasks.
        """
        answers = table.get("answers")
        if not isinstance(answers, Mapping) or answers.keys() != config.tasks.keys():
            raise ValueError(f"answers of the tasks {', '.join(config.tasks)}")
        return cls(
            config.input.reader(table.get("reader")),
            {name: row_task(task).facts(answers[name]) for name, task in config.tasks.items()},
        )

    @classmethod
    def of_model(cls, model: Model) -> "Facts":
        """The facts that a model was built of."""
        reader, answers = model.dimensions.fields[INPUT], model.dimensions.answers
        assert isinstance(reader, Reader)
        return cls(reader, {name: facts for name, facts in answers.items() if isinstance(facts, Config)})

    def table(self) -> dict[str, object]:
        """The facts as JSON holds them."""
        answers = {name: facts.model_dump(mode="json") for name, facts in self.answers.items()}
        return {"reader": self.reader.model_dump(mode="json"), "answers": answers}

    def dimensions(self, config: ModelConfig) -> Dimensions:
        """The sizes of a model."""
        return Dimensions(
            config.width,
            config.max_length,
            tuple(config.tasks),
            fields={INPUT: self.reader},
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
