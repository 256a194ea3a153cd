"""A change of the store as a message: it has arguments, and runs inside a transaction.

A command runs whole or not at all. With SQLite it travels to the one process that writes; with PostgreSQL the
worker itself runs it.
"""

from abc import abstractmethod
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from intertask.service.database import Writing


class Message(BaseModel):
    """What travels between processes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Answer = TypeVar("Answer", bound=Message)


class Command(Message, Generic[Answer]):
    """A change of the store.

    Args:
        tenant: Whose; 0 where it concerns no tenant.
        by: The public part of the key by which a person asked for it; what has one is written down.
    """

    answers: ClassVar[type[Message]]
    erases: ClassVar[bool] = False  # whether what it deletes must be gone from the disk, too
    tenant: int = 0
    by: str = ""

    @property
    def subject(self) -> str:
        """What it concerns, in a word; never who."""
        return ""

    @abstractmethod
    def run(self, store: Writing) -> Answer:
        """Carry it out, within a transaction that the caller commits."""


class Done(Message):
    """It is done.

    Args:
        changed: Whether anything is other than before.
    """

    changed: bool = True
