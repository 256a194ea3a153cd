"""What has happened since the training, taken into histories, counts and sources; nothing is trained."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.answering.answerer import Answerer
from intertask.data.corpus import Corpus, joined
from intertask.data.event_log import EventLog
from intertask.data.people import People, nobody
from intertask.data.sequences import Sequences
from intertask.data.vocabulary import Vocabulary
from intertask.errors import RequestError
from intertask.events import beside
from intertask.events.requests import encoded


@dataclass(frozen=True)
class Updated:
    """What an update made.

    Args:
        answerer: Which has seen the events.
        added: Events that were taken.
        new_users: People who had none before.
        unknown: Events of items that the model does not know, left out.
        twice: Events that it had already, left out.
        older: Events before the last one of their user, put in their place.
    """

    answerer: Answerer
    added: int
    new_users: int
    unknown: int
    twice: int
    older: int

    def words(self) -> str:
        """What a warning says; empty where every event was new and known."""
        told = [
            f"{self.unknown:,} of items that the model does not know, left out" if self.unknown else "",
            f"{self.twice:,} that it had already, left out" if self.twice else "",
            f"{self.older:,} older than the last one of their user, put in their place" if self.older else "",
        ]
        return "; ".join(filter(None, told))


@dataclass(frozen=True)
class _Events:
    """Events in a flat row, of whom they are, and which of them are new."""

    users: NDArray[np.int64]
    items: NDArray[np.int32]
    behaviours: NDArray[np.uint8]
    times: NDArray[np.int64]
    new: NDArray[np.bool_]

    def take(self, places: NDArray[np.generic]) -> "_Events":
        return _Events(
            self.users[places],
            self.items[places],
            self.behaviours[places],
            self.times[places],
            self.new[places],
        )


def update(answerer: Answerer, events: EventLog) -> Updated:
    """The same model after some more events.

    Raises:
        RequestError: The events have a behaviour that the model does not know, or lack times that it needs.
    """
    reader = answerer.reader
    frame = events.frame
    if "time" not in frame.columns and reader.stored.times is not None:
        raise RequestError("update", "events with times, as those of the training", "events without")
    refuse_strange(events, reader.behaviours, "update")
    places = encoded(reader.items, frame["item"])
    unknown = int((places < 0).sum())
    frame, places = frame.filter(pl.Series(places >= 0, dtype=pl.Boolean)), places[places >= 0]
    users, owners = _people(reader.users, frame["user"])
    fresh = _Events(
        owners.astype(np.int64),
        places,
        np.array([reader.behaviours.index(name) for name in frame["behaviour"]], np.uint8),
        frame["time"].dt.epoch("s").to_numpy().astype(np.int64)
        if reader.stored.times is not None
        else np.zeros(frame.height, np.int64),
        np.ones(frame.height, bool),
    )
    old = _stored(reader.stored)
    twice = np.zeros(len(fresh.new), bool)
    older = 0
    if reader.stored.times is not None:
        twice = _had_already(old, fresh)
        last = np.full(len(users), np.iinfo(np.int64).min)
        np.maximum.at(last, old.users, old.times)
        older = int((fresh.times < last[fresh.users])[~twice].sum())
    log, new = _joined(old, fresh.take(~twice), len(users), reader.stored)
    counts = answerer.popularity.copy()
    np.add.at(counts, (log.behaviours[new].astype(np.int64), log.items[new]), 1)
    ranker = None if answerer.ranker is None else answerer.ranker.after(log, new)
    corpus = Corpus(users, reader.items, reader.behaviours, log, people=answerer.people)
    log = beside.known(corpus, beside.readers_of(answerer.model)).sequences
    changed = replace(
        answerer, reader=replace(reader, users=users, stored=log), popularity=counts, ranker=ranker
    )
    return Updated(changed, int(new.sum()), len(users) - len(reader.users), unknown, int(twice.sum()), older)


def refuse_strange(events: EventLog, known: Sequence[str], where: str) -> None:
    """Refuse events of a behaviour that a model was not trained on.

    Raises:
        RequestError: There are such.
    """
    if strange := set(events.frame["behaviour"].unique()) - set(known):
        raise RequestError(where, f"behaviours of the training: {', '.join(known)}", repr(min(strange)))


def with_people(answerer: Answerer, people: People) -> Answerer:
    """The same model once more is known of its users.

    Raises:
        RequestError: The model reads none of these attributes, or one is of another kind.
    """
    readers = beside.readers_of(answerer.model)
    columns = beside.columns(readers)
    given = {name: kind for name, kind in people.columns.items() if name in columns}
    if not given:
        expected = f"attributes that the model reads: {', '.join(list(columns)[:10]) or 'it reads none'}"
        raise RequestError("update people", expected, ", ".join(list(people.columns)[:10]))
    for name, kind in given.items():
        if kind != columns[name]:
            roles = {"category": "categories", "number": "numbers"}
            hint = f"read them with {roles.get(columns[name], columns[name])}=[{name!r}, ...]"
            raise RequestError(f"update people {name!r}", f"a {columns[name]}, as in training", kind, hint)
    before = answerer.people
    if before is None:
        nothing = nobody(columns, len(people)).inputs
        known = replace(people, frame=nothing.with_columns(people.frame.select(list(given))))
    else:
        known = before.after(people, list(given))
    reader = answerer.reader
    corpus = Corpus(reader.users, reader.items, reader.behaviours, reader.stored, people=known)
    return replace(
        answerer,
        reader=replace(reader, stored=beside.known(corpus, readers).sequences),
        people=known,
    )


def _people(known: Vocabulary, ids: pl.Series) -> tuple[Vocabulary, NDArray[np.int32]]:
    """All people, those who are new behind the others, and who did each event."""
    places = encoded(known, ids)
    further = ids.filter(pl.Series(places < 0, dtype=pl.Boolean)).unique(maintain_order=True)
    users = Vocabulary(joined(known.ids, further)) if len(further) else known
    return users, encoded(users, ids)


def _stored(sequences: Sequences) -> _Events:
    times = np.zeros(sequences.num_events, np.int64) if sequences.times is None else sequences.times
    return _Events(
        np.repeat(np.arange(sequences.num_users), sequences.lengths),
        np.asarray(sequences.items),
        np.asarray(sequences.behaviours),
        np.asarray(times),
        np.zeros(sequences.num_events, bool),
    )


def _had_already(old: _Events, fresh: _Events) -> NDArray[np.bool_]:
    """Which events are there already: of the same user, item, behaviour and second, as often."""
    rows = [
        pl.DataFrame({"user": own.users, "item": own.items, "what": own.behaviours, "time": own.times}).cast(
            pl.Int64
        )
        for own in (old, fresh)
    ]
    keys = ["user", "item", "what", "time"]
    counted = rows[0].join(rows[1].unique(keys), on=keys, how="semi").group_by(keys).len()
    told = rows[1].with_columns(pl.int_range(pl.len()).over(keys).alias("nth"))
    told = told.join(counted, on=keys, how="left", maintain_order="left").fill_null(0)
    return np.asarray((told["nth"] < told["len"]).to_numpy())


def _joined(
    old: _Events, fresh: _Events, num_users: int, like: Sequences
) -> tuple[Sequences, NDArray[np.bool_]]:
    """All events in order, those at the same moment as they came; and which of them are new."""
    both = _Events(
        *(np.concatenate([getattr(old, name), getattr(fresh, name)]) for name in _Events.__dataclass_fields__)
    )
    both = both.take(np.lexsort((both.times, both.users)))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(both.users, minlength=num_users))])
    log = Sequences(
        offsets.astype(np.int64),
        both.items.astype(np.int32),
        both.behaviours,
        None if like.times is None else both.times,
        like.num_items,
        like.num_behaviours,
    )
    return log, both.new
