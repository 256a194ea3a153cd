"""Neighbours: each item of a history speaks for those that go with it."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from intertask.data.counts import interactions
from intertask.data.sequences import Sequences
from intertask.data.windows import Windows, cut_out
from intertask.signals import Arrays
from intertask.signals._checks import Shapes, matrix, refuse_numbers, refuse_others

MOST = 200  # neighbours of an item: a request adds up as many numbers for each item of its history


@dataclass(frozen=True)
class Neighbours:
    """The logarithm of 1 plus what the items of a history say together, in units of `unit`.

    Args:
        weights: float32 [items, items], sparse, none below zero; row i is what having item i says of others.
        last: How many of the last events speak; all if 0. An item speaks once, however often it was had.
        unit: What counts as much; the logarithm is nearly straight below it.
        counts: Whether the weights are counts of direct successors, to which new ones are added.
    """

    form: ClassVar[str] = "neighbours"

    weights: scipy.sparse.csr_matrix
    last: int
    unit: float
    counts: bool = False

    @classmethod
    def nearest(
        cls, weights: scipy.sparse.csr_matrix, last: int, unit: float, *, counts: bool = False
    ) -> "Neighbours":
        """The same with the `MOST` greatest weights of each row."""
        return cls(_greatest(weights), last, unit, counts)

    def say(self, histories: Sequences) -> scipy.sparse.csr_matrix:
        """What the neighbours are, [histories, items]."""
        if self.last == 1 and histories.lengths.all():  # rows as they are: a third of the time of a product
            said: scipy.sparse.csr_matrix = self.weights[histories.items[histories.offsets[1:] - 1]]
        else:
            had = interactions(latest(histories, self.last))
            said = had @ self.weights  # [B, I] x [I, I] -> [B, I]
        said.data = np.log1p(said.data / np.float32(self.unit))
        return said

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The rows of the matrix one behind the other, and three numbers."""
        return {
            "starts": self.weights.indptr.astype(np.int64),
            "columns": self.weights.indices.astype(np.int32),
            "values": self.weights.data.astype(np.float32),
            "numbers": np.array([self.last, self.unit, self.counts], np.float64),
        }

    @classmethod
    def of(cls, arrays: Arrays, num_items: int, where: str) -> Self:
        """The signal of these arrays."""
        shapes: Shapes = {
            "starts": ("int64", (num_items + 1,)),
            "columns": ("int32", (None,)),
            "values": ("float32", (None,)),
            "numbers": ("float64", (3,)),
        }
        refuse_others(arrays, shapes, where)
        last, unit, counts = arrays["numbers"].tolist()
        refuse_numbers(arrays["numbers"], [0, 1e-9, 0], [1e6, 1e9, 1], f"{where} numbers")
        weights = matrix(arrays, num_items, where)
        if len(weights.data):
            refuse_numbers(np.array([weights.data.min()]), [0], [1e12], f"{where} values")
        return cls(weights, int(last), float(unit), bool(counts))

    def after(self, log: Sequences, new: NDArray[np.bool_]) -> Self:
        """With the new pairs of neighbouring events, where it counts those."""
        if not self.counts:
            return self
        follows = new.copy()
        follows[log.offsets[:-1][log.lengths > 0]] = False  # a first event follows nothing
        places = np.flatnonzero(follows)
        pairs = (log.items[places - 1], log.items[places])
        shape = (log.num_items, log.num_items)
        more = scipy.sparse.coo_matrix((np.ones(len(places), np.float32), pairs), shape=shape)
        return replace(self, weights=_greatest((self.weights + more).tocsr()))

    def grown(self, num_items: int) -> Self:
        """With items that are nobody's neighbours."""
        weights = self.weights.copy()
        weights.resize((num_items, num_items))
        return replace(self, weights=weights)


def latest(histories: Sequences, last: int) -> Sequences:
    """The last events of each history; all if `last` is 0."""
    if not last:
        return histories
    stops = np.asarray(histories.offsets[1:])
    return cut_out(histories, Windows(np.maximum(histories.offsets[:-1], stops - last), stops))


def _greatest(weights: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """The greatest weights of each row that are above zero."""
    kept = weights.tocsr().astype(np.float32)
    kept.data = np.maximum(kept.data, 0)
    kept.eliminate_zeros()
    lengths = np.diff(kept.indptr)
    if lengths.max(initial=0) > MOST:
        rows = np.repeat(np.arange(len(lengths)), lengths)
        order = np.lexsort((kept.indices, -kept.data, rows))
        place = np.arange(len(rows)) - kept.indptr[rows]
        chosen = np.sort(order[place < MOST])
        starts = np.concatenate([[0], np.cumsum(np.minimum(lengths, MOST))])
        parts = (kept.data[chosen], kept.indices[chosen], starts)
        kept = scipy.sparse.csr_matrix(parts, shape=kept.shape)
    kept.sort_indices()
    return kept
