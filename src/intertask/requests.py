"""Requests in the user's own ids, turned into histories that a model can read.

A request names users of the log, or brings histories that the log has never seen. Knows nothing of
models or scores.
"""

import warnings
from collections.abc import Iterable
from collections.abc import Sequence as ListLike
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.sequences import Sequences, from_lists
from intertask.data.vocabulary import Vocabulary
from intertask.data.windows import Windows
from intertask.errors import RequestError

Id = str | int
Event = Id | tuple[Id, str] | tuple[Id, str, datetime]


@dataclass(frozen=True)
class Asked:
    """Whose next steps are asked for.

    Args:
        column: "user", or "history" where histories were given.
        names: Ids of the users, or 0, 1, ... for the histories.
        sequences: Where the histories stand.
        windows: Each one's events, possibly none.
    """

    column: str
    names: pl.Series
    sequences: Sequences
    windows: Windows

    def __len__(self) -> int:
        return len(self.windows)


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

    def read(
        self,
        users: ListLike[Id] | pl.Series | None,
        histories: ListLike[ListLike[Event]] | None,
        at: datetime | None = None,
    ) -> Asked:
        """The histories of users of the log, or those given.

        Given events without any time happened at `at`, just before they were sent.

        Raises:
            RequestError: Neither or both are given, a user or a behaviour is unknown, an event cannot be
                read.
        """
        if (users is None) == (histories is None):
            raise RequestError(
                "recommend", "users=[...] or histories=[...]", "both" if users is not None else "neither"
            )
        moment = 0 if at is None else seconds(at)
        return self._of_users(users) if users is not None else self._given(histories or [], moment)

    def item_places(self, ids: ListLike[Id] | pl.Series, argument: str) -> NDArray[np.int32]:
        """The indices of items.

        Raises:
            RequestError: An item is unknown to the model.
        """
        series = _series(ids, argument)
        places = self.items.encode(series)
        if (places < 0).any():
            unknown = series.filter(pl.Series(places < 0))
            raise RequestError(
                argument, "items of the log", f"{unknown[0]!r}, {len(unknown)} of {len(series)} unknown",
                "leave out what the model was not trained on",
            )  # fmt: skip
        return places

    def _of_users(self, users: ListLike[Id] | pl.Series) -> Asked:
        series = _series(users, "users")
        places = self.users.encode(series) if len(series) else np.empty(0, np.int32)
        if (places < 0).any():
            unknown = series.filter(pl.Series(places < 0))
            raise RequestError(
                "users", "users of the log", f"{unknown[0]!r}, {len(unknown)} of {len(series)} unknown",
                "ask by a history for somebody the log has never seen",
            )  # fmt: skip
        windows = Windows(
            np.asarray(self.stored.offsets)[places].astype(np.int64),
            np.asarray(self.stored.offsets)[places + 1].astype(np.int64),
        )
        return Asked("user", self.users.decode(places).rename("user"), self.stored, windows)

    def _given(self, histories: ListLike[ListLike[Event]], moment: int) -> Asked:
        for row, given in enumerate(histories):
            if isinstance(given, str) or not isinstance(given, Iterable):
                raise RequestError(
                    f"histories[{row}]", "a list of events", repr(given),
                    "pass a list of histories, each a list: histories=[[...], ...]",
                )  # fmt: skip
        read = [[self._event(event, row) for event in history] for row, history in enumerate(histories)]
        flat = [event[0] for history in read for event in history]
        places = self.items.encode(pl.Series("id", flat, strict=False)) if flat else np.empty(0, np.int32)
        unknown = int((places < 0).sum())
        if unknown:
            warnings.warn(
                f"{unknown} of {len(flat)} events are of items that the model does not know; left out "
                "(a history without any known item is answered by what is popular)",
                stacklevel=4,
            )
        items: list[list[int]] = []
        behaviours: list[list[int]] = []
        times: list[list[int]] = []
        cursor = iter(places.tolist())
        for history in read:
            known = [(place, kind, when) for (_, kind, when) in history if (place := next(cursor)) >= 0]
            items.append([place for place, _, _ in known])
            behaviours.append([kind for _, kind, _ in known])
            times.append(_clock([when for _, _, when in known], moment))
        sequences = from_lists(
            items, len(self.items), behaviours, times if self.stored.times is not None else None
        )
        windows = Windows(sequences.offsets[:-1], sequences.offsets[1:])
        return Asked("history", pl.Series("history", range(len(read)), dtype=pl.Int64), sequences, windows)

    def _event(self, event: Event, row: int) -> tuple[Id, int, int | None]:
        parts = event if isinstance(event, tuple | list) else (event,)
        if not 1 <= len(parts) <= 3 or not isinstance(parts[0], str | int | np.integer):
            raise RequestError(
                f"histories[{row}]", "items, (item, behaviour) or (item, behaviour, time)", repr(event)
            )
        behaviour = parts[1] if len(parts) > 1 else self.behaviours[self.usual]
        if behaviour not in self.behaviours:
            raise RequestError(
                f"histories[{row}]", f"a behaviour among {', '.join(self.behaviours)}", repr(behaviour)
            )
        when = parts[2] if len(parts) > 2 else None
        if when is not None and not isinstance(when, datetime):
            raise RequestError(f"histories[{row}]", "a datetime", repr(when))
        return parts[0], self.behaviours.index(behaviour), None if when is None else seconds(when)


def _series(ids: ListLike[Id] | pl.Series, argument: str) -> pl.Series:
    if isinstance(ids, pl.Series):
        return ids
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        raise RequestError(argument, "a list of ids", repr(ids), f"write {argument}=[{ids!r}]")
    return pl.Series(argument, list(ids), strict=False)


def seconds(when: datetime) -> int:
    """Seconds since 1970; a naive time is UTC, as in the event log."""
    aware = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return int(aware.timestamp())


def _clock(times: list[int | None], moment: int) -> list[int]:
    """Times without gaps: an unknown one is that of the event before; all unknown are the request's."""
    known = [time for time in times if time is not None]
    last = known[0] if known else moment
    filled = []
    for time in times:
        last = last if time is None else max(last, time)
        filled.append(last)
    return filled
