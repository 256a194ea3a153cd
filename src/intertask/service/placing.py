"""The indices of a model's items by their ids, and back: what was looked up once is remembered.

A request has a few ids. To hash them and to search among all items costs more than the rest of the request;
a dictionary does not. It is emptied when it is full, so that ids that somebody makes up fill no memory.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.vocabulary import Vocabulary
from intertask.events.requests import encoded

MOST = 1 << 18  # ids of at most 200 characters

Key = TypeVar("Key")
Kept = TypeVar("Kept")


class Places:
    """Items by their ids, from any thread.

    Args:
        items: Of the model.
    """

    def __init__(self, items: Vocabulary) -> None:
        self._items = items
        self._places: dict[str, int] = {}
        self._names: dict[int, str] = {}
        if len(items) <= MOST // 2:  # all of them, so that no request has to look them up
            names: list[str] = items.ids.cast(pl.String).to_list()
            self._names = dict(enumerate(names))
            self._places = {name: place for place, name in self._names.items()}

    def of(self, ids: Sequence[str]) -> NDArray[np.int32]:
        """The indices of items, -1 for unknown ones."""
        known = self._places
        found = [known.get(one) for one in ids]
        if None in found:
            missing = list(dict.fromkeys(one for one, place in zip(ids, found, strict=True) if place is None))
            looked = dict(
                zip(missing, encoded(self._items, pl.Series(missing, dtype=pl.String)).tolist(), strict=True)
            )
            self._places = _with(known, looked)
            found = [looked[one] if place is None else place for one, place in zip(ids, found, strict=True)]
        return np.array(found, np.int32)

    def names(self, places: NDArray[np.integer]) -> list[str]:
        """The ids of items."""
        known, asked = self._names, places.tolist()
        found = [known.get(place) for place in asked]
        if None in found:
            missing = [place for place, name in zip(asked, found, strict=True) if name is None]
            looked = dict(zip(missing, self._decoded(missing), strict=True))
            self._names = _with(known, looked)
            return [looked[place] if place in looked else known[place] for place in asked]
        return [name for name in found if name is not None]

    def _decoded(self, places: list[int]) -> list[str]:
        found: list[str] = self._items.decode(np.array(places, np.int64)).cast(pl.String).to_list()
        return found


def _with(known: dict[Key, Kept], more: dict[Key, Kept]) -> dict[Key, Kept]:
    """The same with more in it; begun anew where it would be too large."""
    if len(known) + len(more) > MOST:
        return dict(more) if len(more) <= MOST else {}
    known.update(more)
    return known
