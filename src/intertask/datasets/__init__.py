"""Known data sets. One file a data set: where it comes from, its terms, how it becomes log and catalogue."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

from intertask.config import PluginConfig
from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog


@dataclass(frozen=True)
class Loaded:
    """A data set in memory."""

    events: EventLog
    catalogue: Catalogue | None


class DatasetConfig(PluginConfig):
    """The config of a data set."""

    @abstractmethod
    def load(self, folder: Path) -> Loaded:
        """The log and the catalogue; what has to be fetched is kept below `folder` for the next time."""
