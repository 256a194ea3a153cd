"""What training and evaluation are given: the sequences, and the vocabularies that read them."""

import hashlib
from dataclasses import dataclass, replace

import polars as pl

from intertask.data.catalogue import Catalogue
from intertask.data.sequences import Sequences
from intertask.data.vocabulary import Vocabulary


@dataclass(frozen=True)
class Corpus:
    """A prepared event log.

    Args:
        users: Ids of the users, in the order of `sequences.offsets`.
        items: Ids of the items that occur in the log; behind them those that the catalogue alone has.
        behaviours: Names of the behaviours, in the order of their codes.
        sequences: The events.
        catalogue: What there is, where a model is to read it; None where nothing but events is learnt from.
    """

    users: Vocabulary
    items: Vocabulary
    behaviours: tuple[str, ...]
    sequences: Sequences
    catalogue: Catalogue | None = None

    def digest(self) -> str:
        """SHA-256 over the events, and over the catalogue where there is one."""
        events = self.sequences.digest()
        if self.catalogue is None:
            return events
        return hashlib.sha256(f"{events} {self.catalogue.digest()}".encode()).hexdigest()

    def described_by(self, catalogue: Catalogue) -> "Corpus":
        """The same log with a catalogue, whose further items belong to the vocabulary.

        They stand behind those of the log, in the order of their ids.
        """
        ids = catalogue.frame["item"]
        further = ids.filter(pl.Series(self.items.encode(ids) < 0, dtype=pl.Boolean))
        if len(further):
            items = Vocabulary(joined(self.items.ids, further.sort()))
            sequences = replace(self.sequences, num_items=len(items))
            return replace(self, items=items, sequences=sequences, catalogue=catalogue)
        return replace(self, catalogue=catalogue)


def joined(ids: pl.Series, further: pl.Series) -> pl.Series:
    """Ids with others behind them, as numbers where all are numbers, and as text where not."""
    if further.dtype != ids.dtype:
        numbers = further.cast(ids.dtype, strict=False) if ids.dtype != pl.String else None
        if numbers is None or numbers.has_nulls():
            ids, further = ids.cast(pl.String), further.cast(pl.String)
        else:
            further = numbers
    return pl.concat([ids, further.alias(ids.name)])
