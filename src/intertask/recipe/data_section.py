"""The section [data] of a recipe, and what follows from whether it names a log or rows of a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field, SerializeAsAny, model_validator

from intertask.data.columns import MISSING
from intertask.data.seam import INPUT
from intertask.data.series import SeriesFile
from intertask.datasets import DatasetConfig, RowsDatasetConfig
from intertask.errors import RecipeError
from intertask.events.splits import LeaveOneOut, SplitConfig, TimeSplit, UserSplit
from intertask.inputs import InputConfig
from intertask.model.config import is_asked_of_rows, is_pretrained, kinds_asked_of
from intertask.options.config import Config, config_class, kinds, plugin
from intertask.samples.splits import Folds, GroupsOut, Official, RowSplitConfig, RowsSplit, WalkForward
from intertask.tasks import TaskConfig

Splits = Annotated[
    LeaveOneOut | TimeSplit | UserSplit | Official | RowsSplit | Folds | GroupsOut | WalkForward,
    Field(discriminator="kind"),
]
SPLITS = ("leave_one_out", "time", "users", "official", "rows", "folds", "groups_out", "walk_forward")
SPLITS_OF_ROWS = SPLITS[3:]
MEDICAL = "A demonstration on public data, no medical device."
OF_SERIES = {"input": "series", "split": {"kind": "walk_forward"}}
OF_ROWS = {"input": "table", "split": {"kind": "rows"}}  # what a recipe of rows has where it says nothing


class EventsFile(Config):
    """A log in a file, and what its columns mean."""

    path: Path
    user: str = "user"
    item: str = "item"
    time: str | None = None
    time_format: str | None = None
    order: str | None = None
    behaviour: str | None = None
    labels: tuple[str, ...] = ()
    missing: tuple[str, ...] = MISSING
    duplicates: Literal["keep", "drop"] = "keep"
    separator: str | None = None
    encoding: str | None = None
    sequences: bool | None = None
    strict: bool = False


class CatalogueFile(Config):
    """A catalogue in a file, and what its columns mean."""

    path: Path
    item: str = "item"
    text: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    tag_separator: str = "|"
    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    missing: tuple[str, ...] = MISSING
    separator: str | None = None
    encoding: str | None = None
    strict: bool = False


class PeopleFile(Config):
    """What is known of the users of a log in a file, and what its columns mean."""

    path: Path
    user: str = "user"
    categories: tuple[str, ...] | None = None
    numbers: tuple[str, ...] | None = None
    missing: tuple[str, ...] = MISSING
    separator: str | None = None
    encoding: str | None = None
    strict: bool = False


class RowsFile(Config):
    """Rows of a table in a file, each with its own labels, and what its columns mean."""

    path: Path
    labels: tuple[str, ...] = ()
    categories: tuple[str, ...] | None = None
    numbers: tuple[str, ...] | None = None
    files: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    label_separator: str = "|"
    group: str | None = None
    time: str | None = None
    part: str | None = None
    weight: str | None = None
    time_format: str | None = None
    missing: tuple[str, ...] = MISSING
    separator: str | None = None
    encoding: str | None = None
    strict: bool = False


class DataConfig(Config):
    """Where the data come from: a known data set, or files; neither if they are given from Python.

    Args:
        dataset: The name of a known data set, or a table with its `kind` and options.
        events: A log in a file, as a table [data.events].
        catalogue: The catalogue of the items of that log, as a table [data.catalogue].
        people: What is known of the users of that log, as a table [data.people]; [inputs.NAME] reads it.
        rows: Rows of a table in a file in place of a log, as a table [data.rows].
        series: A long table of series in a file, as a table [data.series]: windows of it are the rows.
        medical: The data are about people's health: answers and reports say that this is no medical device.
            Known data sets say it by themselves.
        users: Take only this many users of the log, drawn once for all runs; all users if left out.
    """

    dataset: (
        Annotated[SerializeAsAny[DatasetConfig | RowsDatasetConfig], plugin("datasets", table="data")] | None
    ) = None
    events: EventsFile | None = None
    catalogue: CatalogueFile | None = None
    people: PeopleFile | None = None
    rows: RowsFile | None = None
    series: SeriesFile | None = None
    users: int | None = Field(default=None, ge=1, lt=2**31)
    medical: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> "DataConfig":
        given: dict[str, object] = {
            "a dataset": self.dataset,
            "an events table": self.events,
            "a rows table": self.rows,
            "a series table": self.series,
        }
        found = [name for name, section in given.items() if section is not None]
        if len(found) > 1:
            raise ValueError(f"{' or '.join(found)}, not both")
        if self.has_rows and self.catalogue is not None:
            raise ValueError("a catalogue of the items of a log, and these are rows of a table")
        if self.has_rows and self.people is not None:
            raise ValueError("people who are the users of a log, and these are rows of a table")
        if self.users is not None and (self.has_rows or not found):
            raise ValueError("users of a dataset or of an events table, and neither is there")
        return self

    @property
    def notice(self) -> str:
        """What answers and reports say before all else; empty where there is nothing."""
        own = self.dataset
        medical = self.medical or (isinstance(own, RowsDatasetConfig) and own.medical)
        return MEDICAL if medical else ""

    @property
    def has_rows(self) -> bool:
        """Whether it names rows of a table, and no log."""
        named = self.rows is not None or self.series is not None
        return named or isinstance(self.dataset, RowsDatasetConfig)


def with_defaults_of_rows(given: object) -> object:
    """What a section says, with what rows of a table usually have where it leaves that out.

    It is about rows by its data, or by its tasks where the data are given from Python. What is wrong in it is
    refused elsewhere.
    """
    if not isinstance(given, Mapping):
        return given
    data = given.get("data")
    data = dict(data) if isinstance(data, DataConfig) else data if isinstance(data, Mapping) else {}
    if (known := _set_of_rows(data.get("dataset"))) is not None:
        return {**_usual(given), "tasks": known.usual, **given}
    if data.get("rows") is not None or data.get("series") is not None:
        usual = _usual(given)
        if data.get("series") is not None and "input" in usual:
            usual |= OF_SERIES
        return {**usual, **given}
    tasks = given.get("tasks")
    named = data.get("dataset") is not None or data.get("events") is not None
    if not named and isinstance(tasks, Mapping) and any(map(is_asked_of_rows, tasks.values())):
        return {**_usual(given), **given}
    return given


# A pretrained encoder is destroyed by the rates and the average of weights of a model from nothing.
OF_PRETRAINED = {"epochs": 5, "patience": 5, "learning_rate": 1e-3, "warmup_share": 0.1, "average": 0.0}


def with_training_of_pretrained(given: object) -> object:
    """What a section says, with a training that an input that has been trained before survives."""
    if not isinstance(given, Mapping):
        return given
    several = given.get("inputs")
    parts = [*several.values()] if isinstance(several, Mapping) else []
    train = given.get("train", {})
    if not any(map(is_pretrained, [*parts, given.get("input")])) or not isinstance(train, Mapping):
        return given
    usual = {name: value for name, value in OF_PRETRAINED.items() if name not in train}
    if train.get("warmup_steps") is not None:
        usual.pop("warmup_share", None)
    return {**given, "train": {**train, **usual}}


def _usual(given: Mapping[object, object]) -> dict[str, object]:
    """What rows usually have, without the input where several are named."""
    return {name: value for name, value in OF_ROWS.items() if name != "input" or not given.get("inputs")}


def _reads_people(kind: str) -> bool:
    found = config_class("inputs", kind, "")
    return issubclass(found, InputConfig) and found.reads_people


def _set_of_rows(dataset: object) -> type[RowsDatasetConfig] | None:
    if isinstance(dataset, RowsDatasetConfig):
        return type(dataset)
    kind = dataset.get("kind") if isinstance(dataset, Mapping) else dataset
    if not isinstance(kind, str) or kind not in kinds("datasets"):
        return None
    found = config_class("datasets", kind, "")
    return found if issubclass(found, RowsDatasetConfig) else None


class Section(Protocol):
    """What a recipe and each of its streams have in common."""

    @property
    def data(self) -> DataConfig:
        """Where the data come from."""

    @property
    def split(self) -> SplitConfig | RowSplitConfig:
        """Which of them train."""

    @property
    def named_inputs(self) -> Mapping[str, InputConfig]:
        """How they are read."""

    @property
    def tasks(self) -> Mapping[str, TaskConfig]:
        """What is asked."""


def of_rows(section: Section) -> bool:
    """Whether a section is about rows of a table, by its data, or by its tasks where they are given later."""
    if section.data.has_rows:
        return True
    named = section.data.dataset is not None or section.data.events is not None
    return not named and any(task.of_rows for task in section.tasks.values())


def refuse_mixed(section: Section) -> None:
    """Refuse tasks, a split or an input of the other kind of data than those of the section.

    Raises:
        RecipeError: Names the first one.
    """
    rows = of_rows(section)
    what, other = ("rows of a table", "a log") if rows else ("a log", "rows of a table")
    for name, task in section.tasks.items():
        if task.of_rows != rows:
            known = kinds_asked_of(rows)
            raise RecipeError(
                f"[tasks.{name}]",
                f"a task of {what}: {', '.join(known)}",
                f"{task.kind!r}, which is one of {other}",
                f'add [tasks.NAME] with kind = "{known[0]}" for each label' if rows else "",
            )
    if isinstance(section.split, RowSplitConfig) != rows:
        known = [kind for kind in SPLITS if (kind in SPLITS_OF_ROWS) == rows]
        raise RecipeError("[split] kind", f"a split of {what}: {', '.join(known)}", repr(section.split.kind))
    several = list(section.named_inputs.items())
    for place, (name, own) in enumerate(several):
        where = "[input] kind" if name == INPUT else f"[inputs.{name}] kind"
        if rows or place == len(several) - 1:
            if own.reads_items == rows:
                raise RecipeError(where, f"an input of {what}", repr(own.kind))
        elif not own.reads_people:
            known = [kind for kind in kinds("inputs") if _reads_people(kind)]
            raise RecipeError(
                where, f"one that reads what is known of a user: {', '.join(known)}", repr(own.kind)
            )
    if section.data.people is not None and len(several) == 1:
        raise RecipeError(
            "[data.people]",
            "an input that reads it",
            "events alone",
            'add [inputs.person] with kind = "table"',
        )
