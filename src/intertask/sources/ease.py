"""EASE: a linear item-to-item model with a closed form. No maintained library has it; it is four lines."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.linalg
import scipy.sparse
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.counts import event_counts, interactions
from intertask.data.sequences import Sequences
from intertask.signals.neighbours import Neighbours
from intertask.sources import SourceConfig, check_catalogue
from intertask.sources._ties import tie_breaker

UNIT = 0.01  # a weight that says something
LEAST = 1e-4  # below it a weight says nothing
_TIE_BREAK = np.float32(1e-6)  # weights that matter lie between 0.001 and 1


class Config(SourceConfig):
    """Options of the EASE baseline.

    Args:
        regularisation: Added to the diagonal of the item co-occurrence counts; more for more users.
        max_items: Most items that get weights, the most popular ones. Time grows with its cube and memory
            with its square: 12,000 items took 9 s on two cores, and 1.5 GB.
    """

    kind: Literal["ease"] = "ease"
    regularisation: float = Field(default=300.0, gt=0, le=1e12)
    max_items: int = Field(default=12_000, ge=1, le=50_000)

    def fit(self, training: Sequences, seed: int) -> "EaseSource":
        """A ranker by learned item-to-item weights; `seed` plays no part."""
        by_popularity = np.argsort(-event_counts(training), kind="stable")
        kept = np.sort(by_popularity[: self.max_items])
        users_items = interactions(training)[:, kept]
        gram: NDArray[np.float32] = (users_items.T @ users_items).toarray()
        gram[np.diag_indices_from(gram)] += self.regularisation
        weights = _inverse(gram)
        weights /= -np.diag(weights)
        np.fill_diagonal(weights, 0.0)
        note = ""
        if len(kept) < training.num_items:
            note = f"weights for the {len(kept)} most popular of {training.num_items} items only"
        return EaseSource(weights, kept, tie_breaker(training), note)


@dataclass(frozen=True)
class EaseSource:
    """Scores items by the summed weights from the items of the history, each counted once.

    Popularity times a millionth is added, which orders items that share no user with the history, directly
    or through others; an empty history gets popularity alone. Items without weights stand below all others
    of their row, by popularity.

    Args:
        weights: float32 [kept, kept]; row i holds what having item i says for each other item.
        kept: int64 [kept], rising numbers of the items that have weights.
        tie_breaker: float32 [items], 0 to below 1.
        note: What a reader of the results must know; empty where every item has weights.

    Source:
        Steck, "Embarrassingly shallow autoencoders for sparse data" (2019), equation 8.
    """

    weights: NDArray[np.float32]
    kept: NDArray[np.int64]
    tie_breaker: NDArray[np.float32]
    note: str = ""

    def score(self, histories: Sequences) -> NDArray[np.float32]:
        """Summed weights plus tiny popularity of every item for each history, [histories, items]."""
        check_catalogue(histories, len(self.tie_breaker))
        matrix = interactions(histories)
        if not self.note:
            all_scores: NDArray[np.float32] = matrix @ self.weights  # [H, I] x [I, I] -> [H, I]
            return all_scores + _TIE_BREAK * self.tie_breaker
        known = matrix[:, self.kept] @ self.weights + _TIE_BREAK * self.tie_breaker[self.kept]
        scores = np.empty(matrix.shape, dtype=np.float32)
        scores[:] = known.min(axis=1, keepdims=True) - 1.0 + 0.5 * self.tie_breaker
        scores[:, self.kept] = known
        return scores

    def signal(self) -> Neighbours:
        """The greatest weights from each item."""
        rows, columns = np.divmod(np.flatnonzero(self.weights > LEAST), len(self.kept))
        shape = (len(self.tie_breaker), len(self.tie_breaker))
        parts = (self.weights[rows, columns], (self.kept[rows], self.kept[columns]))
        return Neighbours.nearest(scipy.sparse.coo_matrix(parts, shape=shape).tocsr(), 0, UNIT)


def _inverse(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inverse of a symmetric positive definite matrix, in its own memory and half the time of `inv`."""
    # The transpose of a row-major array is the column-major one that LAPACK works on without a copy.
    factor, failed = scipy.linalg.lapack.spotrf(gram.T, lower=True, overwrite_a=True)
    if not failed:
        inverse, failed = scipy.linalg.lapack.spotri(factor, lower=True, overwrite_c=True)
    if failed:
        raise ValueError(
            f"ease: expected a positive definite matrix, found none at row {failed - 1}; raise regularisation"
        )
    # Only the lower triangle was computed. Back in row-major order it is the upper one.
    symmetric: NDArray[np.float32] = inverse.T
    for row in range(1, len(symmetric)):
        symmetric[row, :row] = symmetric[:row, row]
    return symmetric
