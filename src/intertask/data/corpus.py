"""What training and evaluation are given: the sequences, and the vocabularies that read them."""

import hashlib
from dataclasses import dataclass, replace

import polars as pl

from intertask.data.catalogue import Catalogue
from intertask.data.people import People
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
        people: What is known of users, where a model is to read it.
    """

    users: Vocabulary
    items: Vocabulary
    behaviours: tuple[str, ...]
    sequences: Sequences
    catalogue: Catalogue | None = None
    people: People | None = None

    def digest(self) -> str:
        """SHA-256 over the events, and over the catalogue and the people where there are any."""
        parts = [self.sequences.digest()]
        parts += [own.digest() for own in (self.catalogue, self.people) if own is not None]
        return parts[0] if len(parts) == 1 else hashlib.sha256(" ".join(parts).encode()).hexdigest()

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
