"""Repeats: what was had before, by how long ago and how often."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.signals import Arrays
from intertask.signals._checks import refuse_numbers, refuse_others

FAINTEST = 1e-6  # worth of an event long ago


def worths(histories: Sequences, half_life: float) -> scipy.sparse.csr_matrix:
    """Decayed counts of the items of each history, float32 [histories, items]; the last event is worth 1."""
    users = np.repeat(np.arange(histories.num_users), histories.lengths)
    ages = histories.offsets[1:][users] - 1 - np.arange(histories.num_events)
    worth = np.maximum(np.exp2(-ages / half_life), FAINTEST).astype(np.float32)
    shape = (histories.num_users, histories.num_items)
    matrix = scipy.sparse.csr_matrix((worth, histories.items, histories.offsets), shape=shape, copy=True)
    matrix.sum_duplicates()
    return matrix


@dataclass(frozen=True)
class Repeats:
    """The logarithm of 1 plus a decayed count, in units of a fiftieth of an event.

    Args:
        half_life: Events after which one is worth half as much.
    """

    form: ClassVar[str] = "repeats"

    half_life: float

    def say(self, histories: Sequences) -> scipy.sparse.csr_matrix:
        """How much each item was had of late, [histories, items]."""
        said = worths(histories, self.half_life)
        said.data = np.log1p(said.data * np.float32(50))
        return said

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The half life."""
        return {"numbers": np.array([self.half_life], np.float64)}

    @classmethod
    def of(cls, arrays: Arrays, num_items: int, where: str) -> Self:
        """The signal of these arrays."""
        refuse_others(arrays, {"numbers": ("float64", (1,))}, where)
        refuse_numbers(arrays["numbers"], [1e-6], [1e6], f"{where} numbers")
        return cls(float(arrays["numbers"].tolist()[0]))

    def after(self, log: Sequences, new: NDArray[np.bool_]) -> Self:
        """The same: it knows histories alone."""
        return self

    def grown(self, num_items: int) -> Self:
        """The same: it knows histories alone."""
        return self
