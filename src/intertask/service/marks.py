"""Numbers by which items of a list are known in every process, as cursors keep them.

Items of a model's folder go by their indices. Others stand behind them, as many as a process has heard of by
now, so that their indices may differ: they go by a number below zero that is made of the id.
"""

import zlib
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Marks:
    """Marks of a model's items.

    Args:
        num_own: Items of the folder.
        num_items: All items.
        names: The ids of indices.
    """

    def __init__(
        self, num_own: int, num_items: int, names: Callable[[NDArray[np.integer]], list[str]]
    ) -> None:
        self._num_own, self._num_items, self._names = num_own, num_items, names

    def of(self, places: Sequence[int]) -> list[int]:
        """The marks of some indices."""
        further = [place for place in places if place >= self._num_own]
        if not further:
            return list(places)
        made = dict(zip(further, map(_mark, self._names(np.array(further, np.int64))), strict=True))
        return [made.get(place, place) for place in places]

    def items(self, marks: Sequence[int]) -> Tensor:
        """The items of some marks, bool [items]; those that are not here are passed over."""
        found_I = torch.zeros(self._num_items, dtype=torch.bool)
        found_I[[mark for mark in marks if 0 <= mark < self._num_own]] = True
        wanted = {mark for mark in marks if mark < 0}
        if wanted:
            names = self._names(np.arange(self._num_own, self._num_items))
            found_I[self._num_own :] = torch.tensor(
                [_mark(name) in wanted for name in names], dtype=torch.bool
            )
        return found_I


def _mark(name: str) -> int:
    return -1 - (zlib.crc32(name.encode()) & 0x7FFFFFFE)
