"""Requests in the user's own ids, turned into histories that a model can read.

A request names users of the log, or brings histories that the log has never seen. Knows nothing of
models or scores.
"""

import warnings
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.columns import EDGES
from intertask.data.sequences import Sequences, from_lists
from intertask.data.vocabulary import Vocabulary
from intertask.data.windows import Windows
from intertask.errors import RequestError
from intertask.options import arguments
from intertask.options.arguments import Id

Event = Id | tuple[Id, str] | tuple[Id, str, datetime]


@dataclass(frozen=True)
class Asked:
    """Whose next steps are asked for.

    Args:
        column: "user", or "history" where histories were given.
        names: Ids of the users, or 0, 1, ... for the histories.
        sequences: Where the histories stand.
        windows: Each one's events, possibly none.
        unknown: Events that were given and left out: the model does not know their item.
        given: Events that were given.
    """

    column: str
    names: pl.Series
    sequences: Sequences
    windows: Windows
    unknown: int = 0
    given: int = 0

    def __len__(self) -> int:
        return len(self.windows)

    def warn(self) -> None:
        """Say in a warning, at the line that called our caller, how many events were left out."""
        if self.unknown:
            warnings.warn(
                f"{self.unknown} of {self.given} events are of items that the model does not know; left out "
                "(a history without any known item is answered by what is popular)",
                stacklevel=3,
            )


@dataclass(frozen=True)
class Reader:
    """Reads requests by the vocabularies of a model.

    Args:
        users: Ids of the users whose events are stored.
        items: Ids of the items.
        behaviours: Names of the behaviours.
        stored: The users' events.
        usual: Code of the behaviour of an event that is given without one.
    """

    users: Vocabulary
    items: Vocabulary
    behaviours: tuple[str, ...]
    stored: Sequences
    usual: int = 0

    def read(self, users: object, histories: object, at: int | None = None) -> Asked:
        """The histories of users of the log, or those given.

        Given events without any time happened at `at` (in seconds since 1970), just before they were sent.

        Raises:
            RequestError: Neither or both are given, a user or a behaviour is unknown, an event cannot be
                read.
        """
        if (users is None) == (histories is None):
            raise RequestError(
                "recommend", "users=[...] or histories=[...]", "both" if users is not None else "neither"
            )
        return self._of_users(users) if users is not None else self._given(histories, at or 0)

    def item_places(self, given: object, argument: str) -> NDArray[np.int32]:
        """The indices of items.

        Raises:
            RequestError: An item is unknown to the model.
        """
        series = arguments.ids(given, argument)
        places = encoded(self.items, series)
        if (places < 0).any():
            raise _unknown(
                argument, "items of the log", series, places, "leave out what the model was not trained on"
            )
        return places

    def history(self, user: Id) -> pl.DataFrame:
        """What a user of the log did, oldest first: columns item and behaviour.

        Raises:
            RequestError: The user is unknown.
        """
        window = self.read([user], None).windows
        events = slice(int(window.starts[0]), int(window.stops[0]))
        kinds = [self.behaviours[code] for code in self.stored.behaviours[events]]
        items = self.items.decode(self.stored.items[events])
        return pl.DataFrame({"item": items, "behaviour": pl.Series(kinds, dtype=pl.String)})

    def _of_users(self, users: object) -> Asked:
        series = arguments.ids(users, "users")
        places = encoded(self.users, series)
        if (places < 0).any():
            raise _unknown(
                "users",
                "users of the log",
                series,
                places,
                "ask by a history for somebody the log has never seen",
            )
        windows = Windows(
            np.asarray(self.stored.offsets)[places].astype(np.int64),
            np.asarray(self.stored.offsets)[places + 1].astype(np.int64),
        )
        return Asked("user", self.users.decode(places).rename("user"), self.stored, windows)

    def _given(self, histories: object, moment: int) -> Asked:
        expected, hint = "a list of events", "pass a list of histories, each a list: histories=[[...], ...]"
        read = []
        for row, history in enumerate(
            arguments.elements(histories, "histories", "a list of histories", hint)
        ):
            where = f"histories[{row}]"
            read.append(self._events(arguments.elements(history, where, expected, hint), where))
        flat = [item for events in read for item in events.items]
        places = encoded(self.items, arguments.ids(flat, "histories"))
        items: list[list[int]] = []
        behaviours: list[list[int]] = []
        times: list[list[int]] = []
        stop = 0
        for events in read:
            start, stop = stop, stop + len(events.items)
            own = places[start:stop].tolist()
            clock = _clock(events.times, moment)
            order = sorted(range(len(own)), key=clock.__getitem__) if events.timed else range(len(own))
            known = [place for place in order if own[place] >= 0]
            items.append([own[place] for place in known])
            behaviours.append([events.behaviours[place] for place in known])
            times.append([clock[place] for place in known])
        sequences = from_lists(
            items, len(self.items), behaviours, times if self.stored.times is not None else None
        )
        windows = Windows(sequences.offsets[:-1], sequences.offsets[1:])
        names = pl.Series("history", range(len(read)), dtype=pl.Int64)
        return Asked("history", names, sequences, windows, int((places < 0).sum()), len(flat))

    def _events(self, history: list[object], where: str) -> "_Events":
        """The parts of the events; most histories are of items alone."""
        if all(type(event) is str or type(event) is int for event in history):
            return _Events(history, [self.usual] * len(history), [None] * len(history))
        events = [self._event(event, where) for event in history]
        return _Events(*(list(part) for part in zip(*events, strict=True)))

    def _event(self, event: object, where: str) -> tuple[Id, int, int | None]:
        expected = "items, (item, behaviour) or (item, behaviour, time)"
        parts = event if isinstance(event, tuple | list) else (event,)
        if not 1 <= len(parts) <= 3:
            raise RequestError(where, expected, arguments.shown(event))
        item = arguments.identifier(parts[0], where, expected)
        code = self.usual
        if len(parts) > 1:
            known = f"a behaviour among {', '.join(self.behaviours)}"
            behaviour = arguments.word(parts[1], where, known)
            if behaviour not in self.behaviours:
                raise RequestError(where, known, arguments.shown(behaviour))
            code = self.behaviours.index(behaviour)
        when = None if len(parts) < 3 or parts[2] is None else arguments.moment(parts[2], where)
        return item, code, when


@dataclass(frozen=True)
class _Events:
    """A history as it was given: ids, codes of behaviours, and times in seconds where they are known."""

    items: list[object]
    behaviours: list[int]
    times: list[int | None]

    @cached_property
    def timed(self) -> bool:
        """Whether an event has a time."""
        return any(time is not None for time in self.times)


def encoded(vocabulary: Vocabulary, ids: pl.Series) -> NDArray[np.int32]:
    """The index of every id, -1 for the unknown ones; blanks around an id are no part of it, as in a log."""
    if not len(ids):
        return np.empty(0, np.int32)
    places = vocabulary.encode(ids)
    if ids.dtype == pl.String and (unknown := places < 0).any():
        places[unknown] = vocabulary.encode(ids.filter(pl.Series(unknown)).str.strip_chars(EDGES))
    return places


def _unknown(
    argument: str, expected: str, series: pl.Series, places: NDArray[np.int32], hint: str
) -> RequestError:
    unknown = series.filter(pl.Series(places < 0))
    found = f"{arguments.shown(unknown[0])}, {len(unknown)} of {len(series)} unknown"
    return RequestError(argument, expected, found, hint)


def _clock(times: list[int | None], moment: int) -> list[int]:
    """A time for each event: an unknown one is that of the event listed before it.

    Where the first ones are unknown they have that of the first known one, and where all are, the request's.
    """
    last = next((time for time in times if time is not None), moment)
    filled = []
    for time in times:
        last = last if time is None else time
        filled.append(last)
    return filled
