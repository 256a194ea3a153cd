"""What training and evaluation are given: the sequences, and the vocabularies that read them."""

from dataclasses import dataclass

from intertask.data.sequences import Sequences
from intertask.data.vocabulary import Vocabulary


@dataclass(frozen=True)
class Corpus:
    """A prepared event log.

    Args:
        users: Ids of the users, in the order of `sequences.offsets`.
        items: Ids of the items that occur in the log.
        behaviours: Names of the behaviours, in the order of their codes.
        sequences: The events.
    """

    users: Vocabulary
    items: Vocabulary
    behaviours: tuple[str, ...]
    sequences: Sequences

    def digest(self) -> str:
        """SHA-256 over the events."""
        return self.sequences.digest()
