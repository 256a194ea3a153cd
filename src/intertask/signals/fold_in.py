"""Fold-in: the vector of somebody, solved from what they had, times those of all items."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from intertask.data.counts import interactions
from intertask.data.sequences import Sequences
from intertask.signals import Arrays, Product
from intertask.signals._checks import refuse_numbers, refuse_others


@dataclass(frozen=True)
class FoldIn:
    """Products of item vectors with one that is solved for each history; nothing for an empty one.

    Args:
        vectors_ID: float32 [items, D].
        regularisation: Weight of the squared vector in the loss.
        confidence: Weight of an item that was had, where others weigh 1.

    Source:
        Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets" (2008), equation 4.
    """

    form: ClassVar[str] = "fold_in"

    vectors_ID: NDArray[np.float32]
    regularisation: float
    confidence: float

    @cached_property
    def gram_DD(self) -> NDArray[np.float64]:  # noqa: N802
        """What items that were not had say, the same for everybody."""
        vectors = self.vectors_ID.astype(np.float64)
        return np.asarray(vectors.T @ vectors + self.regularisation * np.eye(vectors.shape[1]))

    def say(self, histories: Sequences) -> Product:
        """About 0 to 1, [histories, items]."""
        had = interactions(histories)
        people_BD = np.zeros((had.shape[0], self.vectors_ID.shape[1]), np.float32)
        for row in np.flatnonzero(np.diff(had.indptr)):
            own = self.vectors_ID[had.indices[had.indptr[row] : had.indptr[row + 1]]].astype(np.float64)
            gram = self.gram_DD + (self.confidence - 1) * own.T @ own
            people_BD[row] = _solved(gram, self.confidence * own.sum(0))
        return Product(people_BD, self.vectors_ID)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The vectors and two numbers."""
        return {
            "vectors": np.ascontiguousarray(self.vectors_ID),
            "numbers": np.array([self.regularisation, self.confidence], np.float64),
        }

    @classmethod
    def of(cls, arrays: Arrays, num_items: int, where: str) -> Self:
        """The signal of these arrays."""
        refuse_others(
            arrays, {"vectors": ("float32", (num_items, None)), "numbers": ("float64", (2,))}, where
        )
        refuse_numbers(arrays["numbers"], [0, 1e-9], [1e9, 1e9], f"{where} numbers")
        vectors = cast("NDArray[np.float32]", arrays["vectors"])
        refuse_numbers(np.array([vectors.shape[1]]), [1], [4_096], f"{where} vectors")
        most = float(np.abs(vectors).max(initial=0))
        refuse_numbers(np.array([most]), [0], [1e6], f"{where} vectors")
        regularisation, confidence = arrays["numbers"].tolist()
        return cls(vectors, regularisation, confidence)

    def after(self, log: Sequences, new: NDArray[np.bool_]) -> Self:
        """The same: somebody's new events are in their history, and items keep their vectors."""
        return self

    def grown(self, num_items: int) -> Self:
        """With items of no direction."""
        return replace(
            self, vectors_ID=np.pad(self.vectors_ID, ((0, num_items - len(self.vectors_ID)), (0, 0)))
        )


def _solved(gram_DD: NDArray[np.float64], wanted_D: NDArray[np.float64]) -> NDArray[np.float64]:
    """The vector; the shortest of many where vectors that depend on each other leave it open."""
    try:
        return np.asarray(np.linalg.solve(gram_DD, wanted_D), np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(gram_DD, wanted_D, rcond=None)[0], np.float64)
