"""A whole run in one file: data, split, model, training, evaluation.

The sections' options live beside what they configure; this file only lists the sections.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from intertask.balance import BalanceConfig
from intertask.balance.likelihood import Config as Likelihood
from intertask.data.rows import Rows
from intertask.data.sequences import Sequences
from intertask.errors import IntertaskError, RecipeError
from intertask.evaluate.config import EvaluationConfig
from intertask.events.splits import LeaveOneOut, SplitConfig
from intertask.events.splits import Split as EventSplit
from intertask.inputs import InputConfig
from intertask.inputs.events import Config as EventsInput
from intertask.model import ModelConfig, refuse_strange, with_length_of_input
from intertask.options.config import RECIPE_JSON_BYTES, Config, parse, plugin, plugins, read_toml, sections
from intertask.options.overrides import changed, merged, named
from intertask.rankers import RankerConfig
from intertask.rankers.none import Config as Alone
from intertask.recipe.data_section import (
    DataConfig,
    Splits,
    of_rows,
    with_defaults_of_rows,
    with_training_of_pretrained,
)
from intertask.samples.splits import RowSplitConfig
from intertask.samples.splits import Split as RowSplit
from intertask.storage.untrusted import read_json, refuse_extremes
from intertask.tasks import TaskConfig
from intertask.train.config import TrainConfig

UNSHAPING = ("name", "data", "ranker", "evaluation")  # sections that no weight depends on
MAIN = "main"  # the stream that the recipe's own sections describe
ANSWERED = ("user", "history", "item")  # the columns beside the answers of a response task


class StreamConfig(Config):
    """A further log with tasks of its own, which trains parts of the same model.

    Args:
        data: The log, as in [data].
        split: What trains and what is held back, as in [split].
        input: How its events become vectors, as in [input].
        inputs: Several inputs of a row in its place, as tables [streams.NAME.inputs.NAME].
        max_length: The longest history that is read; that of the recipe if left out.
        tasks: Its tasks; each name may be used by one stream only.
        share: The parts that this log trains together with the recipe's own log. Tasks that share the
            communication take part in one exchange.
        weight: How often this log has its turn, relative to the recipe's own log with 1; of steps that take a
            batch of every log, what its losses are multiplied by.
    """

    data: DataConfig
    split: Splits = LeaveOneOut()
    input: Annotated[SerializeAsAny[InputConfig], plugin("inputs")] = EventsInput()
    inputs: Annotated[dict[str, SerializeAsAny[InputConfig]], plugins("inputs", may_be_empty=True)] = {}
    max_length: int | None = Field(default=None, ge=1, le=65_536)
    tasks: Annotated[dict[str, SerializeAsAny[TaskConfig]], plugins("tasks")]
    share: tuple[Literal["encoder", "communication"], ...] = ("encoder", "communication")
    weight: float = Field(default=1.0, gt=0, le=1e6, allow_inf_nan=False)

    _length = model_validator(mode="before")(with_length_of_input)
    _of_rows = model_validator(mode="before")(with_defaults_of_rows)
    _names = field_validator("tasks", "inputs")(refuse_strange)


class Recipe(ModelConfig):
    """Everything about a run: data, split, model, training, evaluation.

    Args:
        name: What the model is called in tables and reports.
        seed: Seed of all random numbers; the same seed gives the same model.
        data: Where the data come from.
        split: What trains and what is held back.
        balance: How the losses of several tasks become one.
        train: Options of training.
        ranker: What mixes the model with sources that count events; nothing unless stated.
        evaluation: Options of evaluation.
        streams: Further logs, by name, each with tasks of its own.
    """

    name: str = Field(default="unnamed", max_length=200)
    seed: int = Field(default=1, ge=0, lt=2**63)
    data: DataConfig = DataConfig()
    split: Splits = LeaveOneOut()
    balance: Annotated[SerializeAsAny[BalanceConfig], plugin("balance")] = Likelihood()
    train: TrainConfig = TrainConfig()
    ranker: Annotated[SerializeAsAny[RankerConfig], plugin("rankers")] = Alone()
    evaluation: EvaluationConfig = EvaluationConfig()
    streams: Annotated[dict[str, StreamConfig], sections(StreamConfig)] = {}

    _of_pretrained = model_validator(mode="before")(with_training_of_pretrained)
    _of_rows = model_validator(mode="before")(with_defaults_of_rows)

    @property
    def reads_rows(self) -> bool:
        """Whether its own stream is of samples, which are rows with labels of their own."""
        return of_rows(self)

    def split_events(self, sequences: Sequences) -> EventSplit:
        """The split of a log, checked for leakage."""
        assert isinstance(self.split, SplitConfig)
        return self.split.split(sequences)

    def split_rows(self, rows: Rows) -> RowSplit:
        """The split of rows, checked for leakage."""
        assert isinstance(self.split, RowSplitConfig)
        return self.split.split(rows)

    @field_validator("streams")
    @classmethod
    def _can_be_folders(cls, streams: dict[str, StreamConfig]) -> dict[str, StreamConfig]:
        for name in streams:
            if name == MAIN or not name.isidentifier():
                raise ValueError(f"a name of letters, digits and _, other than {MAIN}, not {name!r}")
        return refuse_strange(streams)

    @model_validator(mode="after")
    def _answers_have_a_column(self) -> "Recipe":
        for tasks in (self.tasks, *(stream.tasks for stream in self.streams.values())):
            for name, task in tasks.items():
                if task.judges and name in ANSWERED:
                    raise ValueError(
                        f"responses of other names than {', '.join(ANSWERED)}, columns beside the answer, "
                        f"not {name!r}"
                    )
        return self

    @model_validator(mode="after")
    def _tasks_of_one_name(self) -> "Recipe":
        owners: dict[str, str] = dict.fromkeys(self.tasks, MAIN)
        for name, stream in self.streams.items():
            for task in stream.tasks:
                if task in owners:
                    raise ValueError(
                        f"tasks of different names, not two named {task!r}, of the streams "
                        f"{owners[task]} and {name}"
                    )
                owners[task] = name
        return self

    def all_tasks(self) -> list[str]:
        """The names of the tasks of all streams."""
        return [task for view in self.views().values() for task in view.tasks]

    def views(self) -> dict[str, "Recipe"]:
        """The recipe of each stream as if it stood alone, its own first; it knows who shares its exchange."""
        together = [
            *self.attached(),
            *(
                task
                for stream in self.streams.values()
                if "communication" in stream.share
                for task, config in stream.tasks.items()
                if not config.detached
            ),
        ]
        alone = tuple(together) == tuple(self.attached())
        exchange = self.exchange if alone else tuple(together)
        views = {MAIN: self.model_copy(update={"streams": {}, "exchange": exchange})}
        for name, stream in self.streams.items():
            changes = {
                "streams": {},
                "data": stream.data,
                "split": stream.split,
                "input": stream.input,
                "inputs": stream.inputs,
                "tasks": stream.tasks,
                "max_length": stream.max_length or self.max_length,
                "ranker": Alone(),
                "exchange": exchange if "communication" in stream.share else None,
            }
            views[name] = self.model_copy(update=changes | {"name": f"{self.name}, {name}"})
        return views

    @classmethod
    def read(cls, file: str | Path, changes: Sequence[str] = ()) -> "Recipe":
        """The recipe in a TOML file, or in the recipe.json of a run or a model folder.

        Args:
            file: The path of the file.
            changes: Changes of what the file says, e.g. `train.epochs=5`.

        Raises:
            RecipeError: The first thing that is wrong, with file, section and key, or with the change.
        """
        file = Path(file)
        if changes:
            whole = cls.read(file)  # what is wrong in the file is not the fault of a change
            table = json.loads(whole.to_json()) if file.suffix == ".json" else _table(file)
            return cls._parsed(changed(table, changes), file, named(changes))
        return cls.from_json(file) if file.suffix == ".json" else cls._parsed(_table(file), file, str(file))

    @classmethod
    def _parsed(cls, table: Mapping[str, Any], file: Path, where: str) -> "Recipe":
        try:
            refuse_extremes(table, where)
        except IntertaskError as error:
            raise RecipeError(error.where, error.expected, error.found, error.hint) from None
        if (
            file.suffix != ".json" and "exchange" in table
        ):  # what streams make of a recipe that does not say it
            raise RecipeError(
                f"{where} exchange",
                "a key that is there",
                "the unknown key 'exchange'",
                "tasks of streams that share the communication are in one exchange",
            )
        return parse(cls, {"name": file.stem, **table}, where)

    def with_(self, changes: Mapping[str, object] | None = None, /, **sections: object) -> "Recipe":
        """A copy with some options changed, validated as a file is; this one stays as it is.

        Args:
            changes: Options by their place, `{"train.epochs": 5}` or `{"train": {"epochs": 5}}`.
            sections: The same by name, `width=32, train={"epochs": 5}`.

        Raises:
            RecipeError: An unknown key, or a value that cannot be, by its place.

        Example:
            >>> Recipe().with_({"train.epochs": 5}, width=32, encoder="gru").encoder
            gru.Config(kind='gru', dropout=0.2, num_layers=1)
        """
        if changes is not None and not isinstance(changes, Mapping):
            raise RecipeError("Recipe.with_", 'options by name, as {"train.epochs": 5}', repr(changes))
        whole = {**(changes or {}), **sections}
        if "exchange" in whole:
            raise RecipeError("Recipe.with_ exchange", "a key that is there", "the unknown key 'exchange'")
        return parse(Recipe, merged(self.model_dump(), whole), "Recipe.with_")

    @classmethod
    def from_json(cls, file: Path) -> "Recipe":
        """The recipe that `to_json` wrote."""
        try:
            table = read_json(file, RECIPE_JSON_BYTES)
        except IntertaskError as error:
            raise RecipeError(str(file), "a recipe in JSON", f"{error.found}, not {error.expected}") from None
        return parse(cls, table, str(file))

    def shaping(self) -> dict[str, object]:
        """The options that determine the trained weights, given the data; others may change within a run."""
        return shaping_of(self.model_dump(mode="json"))

    def to_json(self) -> str:
        """The whole recipe, defaults included."""
        return self.model_dump_json(indent=1)


def shaping_of(written: Mapping[str, Any]) -> dict[str, Any]:
    """The options that determine the trained weights, in a recipe that `to_json` of any version wrote."""
    told = {name: value for name, value in written.items() if name not in UNSHAPING}
    harmless = ("workers", "checkpoint_steps", "gradient_steps", "device", "refit")
    if told.get("items") == {"kind": "table"}:  # runs from before there was another kind go on
        del told["items"]
    elif "items" in told:
        told["items"] = {name: value for name, value in told["items"].items() if name != "new_item_share"}
        if not told["items"].get("learned_layers"):  # and those from before any could learn
            for name in ("learned_layers", "texts_per_step", "learning_rate"):
                told["items"].pop(name, None)
    told["train"] = {name: value for name, value in told["train"].items() if name not in harmless}
    told["streams"] = {
        stream: {name: value for name, value in section.items() if name != "data"}
        for stream, section in told["streams"].items()
    }
    return told | {"history": written["evaluation"]["history"][0]}


def _table(file: Path) -> dict[str, Any]:
    """What a file says of a recipe: without what a tuning may change of it."""
    return {name: value for name, value in read_toml(file).items() if name != "tune"}
