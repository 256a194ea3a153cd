"""How figures were measured. Two evaluations compare only where all of it is equal.

The conditions are those of the kind of data; each kind has its own record.
"""

import hashlib
from abc import abstractmethod

from intertask.options.config import Config


class Protocol(Config):
    """The conditions that every kind of data has."""

    data: str  # SHA-256 of the data
    split: str  # e.g. "leave_one_out" or "time, cut at 0.9, last target"
    part: str  # "validation" or "test"

    def fingerprint(self) -> str:
        """A short digest of all of it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @property
    @abstractmethod
    def unit(self) -> tuple[str, str]:
        """What the bootstrap draws, one and many: "user" and "users"."""

    @abstractmethod
    def conditions(self) -> list[tuple[str, str]]:
        """What else was the same for all systems, as names and values."""

    @abstractmethod
    def told(self, setting: str | None = None) -> list[str]:
        """The same in a few words each; of one way to treat the history, if given."""


class EventsProtocol(Protocol):
    """Of targets that are events of a log."""

    history: str  # "masked": items of the history are no candidates; "kept": they are
    candidates: str  # "all items, 1682"
    ties: str = "against the model"
    query_time: bool  # whether the model knew when the target happened
    num_targets: int
    definitions: int = 1  # rises when the meaning of a metric changes

    @property
    def unit(self) -> tuple[str, str]:
        """A user owns several targets."""
        return "user", "users"

    def conditions(self) -> list[tuple[str, str]]:
        """History, candidates, ties, query time, targets."""
        return [
            ("History", self.history),
            ("Candidates", self.candidates),
            ("Ties", self.ties),
            ("Query time", "known to the model" if self.query_time else "not known to the model"),
            ("Targets", f"{self.num_targets:,}"),
            ("Metric definitions", str(self.definitions)),
        ]

    def told(self, setting: str | None = None) -> list[str]:
        """The same in a few words each."""
        return [
            f"history {setting or self.history}",
            self.candidates,
            f"ties {self.ties}",
            f"query time {'known' if self.query_time else 'not known'}",
            f"{self.num_targets:,} targets",
            f"data {self.data[:8]}",
            f"metric definitions {self.definitions}",
        ]


class RowsProtocol(Protocol):
    """Of targets that are rows of a table, or samples of another kind."""

    resampled: str = "row"  # what the bootstrap draws: "row", "group", or another unit that owns rows
    num_targets: int  # rows that are asked for
    definitions: int = 1  # rises when the meaning of a metric changes

    @property
    def unit(self) -> tuple[str, str]:
        """Rows, or what owns them."""
        return self.resampled, f"{self.resampled}s"

    def conditions(self) -> list[tuple[str, str]]:
        """What is drawn, and how many rows."""
        return [
            ("Resampled", self.unit[1]),
            ("Rows", f"{self.num_targets:,}"),
            ("Metric definitions", str(self.definitions)),
        ]

    def told(self, setting: str | None = None) -> list[str]:
        """The same in a few words each."""
        return [
            f"{self.num_targets:,} rows",
            f"resampled {self.unit[1]}",
            f"data {self.data[:8]}",
            f"metric definitions {self.definitions}",
        ]


AnyProtocol = EventsProtocol | RowsProtocol
