"""Repeats: what was had before, by how long ago and how often."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from intertask.data.sequences import MOST_BEHAVIOURS, Sequences
from intertask.signals import Arrays
from intertask.signals._checks import refuse_numbers, refuse_others

FAINTEST = 1e-6  # worth of an event long ago


def worths(histories: Sequences, half_life: float, behaviour: int | None = None) -> scipy.sparse.csr_matrix:
    """Decayed counts of the items of each history, float32 [histories, items]; the last event is worth 1.

    With a behaviour, other events are worth nothing; they pass all the same.
    """
    users = np.repeat(np.arange(histories.num_users), histories.lengths)
    ages = histories.offsets[1:][users] - 1 - np.arange(histories.num_events)
    worth = np.maximum(np.exp2(-ages / half_life), FAINTEST).astype(np.float32)
    if behaviour is not None:
        worth[histories.behaviours != behaviour] = 0
    shape = (histories.num_users, histories.num_items)
    matrix = scipy.sparse.csr_matrix((worth, histories.items, histories.offsets), shape=shape, copy=True)
    matrix.sum_duplicates()
    if behaviour is not None:
        matrix.eliminate_zeros()
    return matrix


@dataclass(frozen=True)
class Repeats:
    """The logarithm of 1 plus a decayed count, in units of a fiftieth of an event.

    Args:
        half_life: Events after which one is worth half as much.
        behaviour: Whose events count; None for all.
    """

    form: ClassVar[str] = "repeats"

    half_life: float
    behaviour: int | None = None

    def say(self, histories: Sequences) -> scipy.sparse.csr_matrix:
        """How much each item was had of late, [histories, items]."""
        said = worths(histories, self.half_life, self.behaviour)
        said.data = np.log1p(said.data * np.float32(50))
        return said

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The half life, and the behaviour if there is one."""
        of = [] if self.behaviour is None else [self.behaviour]
        return {"numbers": np.array([self.half_life, *of], np.float64)}

    @classmethod
    def of(cls, arrays: Arrays, num_items: int, where: str) -> Self:
        """The signal of these arrays."""
        own = arrays.get("numbers")
        size = 2 if own is not None and own.shape == (2,) else 1
        refuse_others(arrays, {"numbers": ("float64", (size,))}, where)
        lows, highs = [1e-6, 0.0], [1e6, MOST_BEHAVIOURS - 1.0]
        refuse_numbers(arrays["numbers"], lows[:size], highs[:size], f"{where} numbers")
        half_life, *of = arrays["numbers"].tolist()
        return cls(float(half_life), int(of[0]) if of else None)

    def after(self, log: Sequences, new: NDArray[np.bool_]) -> Self:
        """The same: it knows histories alone."""
        return self

    def grown(self, num_items: int) -> Self:
        """The same: it knows histories alone."""
        return self
