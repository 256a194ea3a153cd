"""What inputs beside the events read of users: found in those that train, read of all."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.corpus import Corpus
from intertask.data.people import nobody
from intertask.data.rows import Rows
from intertask.data.seam import RowFields
from intertask.data.sequences import Sequences
from intertask.errors import DataError, RecipeError
from intertask.events.splits import Split
from intertask.inputs import Kind, Reader
from intertask.model import Model, ModelConfig

HIDDEN = 10  # of so many training users one is read as if nothing were known of it
_SPREAD = 2654435761  # Knuth's multiplier: neighbours among the users fall into different tenths


def fitted(
    config: ModelConfig, corpus: Corpus, split: Split, kept: Mapping[str, Reader] | None = None
) -> dict[str, Reader]:
    """The readers of the users that have a training event, by the names of the inputs.

    Args:
        config: Of the model.
        corpus: The log.
        split: What trains.
        kept: Those of a model that the training starts from, whose weights know their words and scales.

    Raises:
        RecipeError: Nothing is known of users.
        DataError: It is of nobody who trains, says nothing, or lacks what a model to start from reads.
    """
    inputs = config.inputs_of_people
    if not inputs:
        return {}
    if corpus.people is None:
        raise RecipeError(
            f"[inputs.{next(iter(inputs))}]",
            "what is known of users",
            "none",
            "say where it is: [data.people] with a path, or fit(..., people=People.read(...))",
        )
    if kept and kept.keys() == inputs.keys():
        for name, kind in columns(kept).items():
            if corpus.people.columns.get(name) != kind:
                found = corpus.people.columns.get(name, "none")
                raise DataError(
                    corpus.people.report.source, f"a {kind} {name!r}, which start_from reads", found
                )
        return dict(kept)
    trains = split.train_stop > np.asarray(corpus.sequences.offsets[:-1])
    ids = corpus.users.ids.filter(pl.Series(trains))
    if not corpus.people.lists(ids).any():
        raise DataError(
            corpus.people.report.source,
            "some of the users that train",
            f"0 of {len(ids):,}: they are called {ids[0]!r} and so on, the people {corpus.people.ids[0]!r}",
            "name the column of their ids: [data.people] user = ...",
        )
    rows = corpus.people.of(ids)
    try:
        return {name: own.fit(rows) for name, own in inputs.items()}
    except DataError as error:
        raise DataError("[data.people]", error.expected, error.found, error.hint) from None


def known(corpus: Corpus, readers: Mapping[str, Reader]) -> Corpus:
    """A log whose users are read by some readers; of those that nobody lists all is missing."""
    if not readers:
        return corpus
    rows = _rows(corpus, readers)
    return replace(corpus, sequences=replace(corpus.sequences, beside=read(readers, rows)))


def partly_known(corpus: Corpus, readers: Mapping[str, Reader]) -> Sequences:
    """The events for training: of a tenth of the users nothing is told, which the model is to know, too."""
    if not readers:
        return corpus.sequences
    rows = _rows(corpus, readers)
    spread = np.arange(len(rows), dtype=np.uint64) * np.uint64(_SPREAD) % np.uint64(2**32)
    shown = pl.Series(spread >= 2**32 // HIDDEN)
    told = rows.inputs.select(pl.when(shown).then(pl.all()).otherwise(None))
    return replace(corpus.sequences, beside=read(readers, replace(rows, inputs=told)))


def known_by(model: Model, sequences: Sequences) -> Sequences:
    """Histories as a model can read them: where they say nothing of their people, all of that is missing."""
    if sequences.beside or not model.config.inputs_of_people:
        return sequences
    readers = readers_of(model)
    alone = read(readers, nobody(columns(readers), 1))
    same: NDArray[np.int64] = np.zeros(sequences.num_users, np.int64)
    return replace(sequences, beside={name: own.take(same) for name, own in alone.items()})


def readers_of(model: Model) -> dict[str, Reader]:
    """The readers that a model was built with."""
    names, fields = model.config.inputs_of_people, model.dimensions.fields
    return {name: own for name, own in fields.items() if name in names and isinstance(own, Reader)}


def columns(readers: Mapping[str, Reader]) -> dict[str, Kind]:
    """The attributes that some readers read, each once, and what they are."""
    return {name: kind for reader in readers.values() for name, kind in reader.columns.items()}


def read(readers: Mapping[str, Reader], rows: Rows) -> dict[str, RowFields]:
    """What each input reads of some people."""
    return {name: reader.read(rows) for name, reader in readers.items()}


def _rows(corpus: Corpus, readers: Mapping[str, Reader]) -> Rows:
    if corpus.people is None:
        return nobody(columns(readers), len(corpus.users))
    return corpus.people.of(corpus.users.ids)
