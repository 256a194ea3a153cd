"""Known data sets. One file a data set: where it comes from, its terms, how it becomes a log or rows."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog
from intertask.data.people import People
from intertask.data.rows import Rows
from intertask.options.config import PluginConfig


@dataclass(frozen=True)
class Loaded:
    """A data set in memory."""

    events: EventLog
    catalogue: Catalogue | None
    people: People | None = None


class DatasetConfig(PluginConfig):
    """The config of a data set."""

    @abstractmethod
    def load(self, folder: Path) -> Loaded:
        """The log and the catalogue; what has to be fetched is kept below `folder` for the next time."""


class RowsDatasetConfig(PluginConfig):
    """The config of a data set of rows, each with labels of its own.

    Attributes:
        usual: The tasks that a recipe has where it names none: label to kind.
        medical: Whether it is about people's health, which answers and reports then say.
    """

    usual: ClassVar[Mapping[str, str]]
    medical: ClassVar[bool] = False

    @abstractmethod
    def load(self, folder: Path) -> Rows:
        """The rows; what has to be fetched is kept below `folder` for the next time."""
