"""The area under the ROC curve of each resample: it is no mean over rows, and is counted anew for each.

Rows are sorted once, and each resample is a weight for each row: how often its unit was drawn.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MIN_RESAMPLES = 200  # below that the ends of a 95 % interval are noise

_DRAWN_ROWS = 100_000_000  # weighed in all: a hundred thousand rows a thousand times
_CHUNK_BYTES = 2**25  # of the matrix of weights, [resamples in one go, rows]


def fewer_resamples(num_rows: int) -> int:
    """How many resamples are enough where there are many rows, whose intervals are narrow."""
    return max(MIN_RESAMPLES, _DRAWN_ROWS // num_rows)


def areas_under(truth: NDArray[np.generic], scores: NDArray[np.floating]) -> Floats:
    """AUC of each system on the rows as they are, [systems]; as `resampled_auc` has them."""
    yes, once = truth.astype(np.float64) > 0, np.ones((1, len(truth)))
    return np.concatenate([_Order.of(column, yes).areas(once) for column in scores.T])


def resampled_auc(
    truth: NDArray[np.generic],
    scores: NDArray[np.floating],
    units: NDArray[np.integer],
    generator: np.random.Generator,
    num_resamples: int,
) -> Floats:
    """AUC of each system in each resample, [resamples, systems]; NaN where one answer alone was drawn.

    All systems see the same resamples, so that their difference is paired.

    Args:
        truth: [rows], 1 for yes and 0 for no.
        scores: [rows, systems], higher for a likelier yes; equal ones count half.
        units: [rows], the unit that owns each row, which is drawn as a whole.
        generator: Draws the units; the same state draws the same as `bootstrap.mean_intervals`.
        num_resamples: How often all units are drawn anew.
    """
    _, codes = np.unique(units, return_inverse=True)
    num_units, yes = int(codes.max()) + 1, truth.astype(np.float64) > 0
    sides = [_Order.of(column, yes) for column in scores.T]
    found = np.empty((num_resamples, scores.shape[1]))
    chunk = max(1, _CHUNK_BYTES // (8 * len(codes)))
    for start in range(0, num_resamples, chunk):
        rows = min(chunk, num_resamples - start)
        drawn = [generator.integers(num_units, size=num_units) for _ in range(rows)]
        times = np.stack([np.bincount(units_drawn, minlength=num_units) for units_drawn in drawn])
        weights = times[:, codes].astype(np.float64)
        for place, side in enumerate(sides):
            found[start : start + rows, place] = side.areas(weights)
    return found


class _Order:
    """The rows of one system from the lowest score to the highest, equal scores together."""

    def __init__(self, order: NDArray[np.intp], firsts: NDArray[np.intp], yes: NDArray[np.bool_]) -> None:
        self.order, self.firsts, self.yes = order, firsts, yes

    @classmethod
    def of(cls, scores: NDArray[np.floating], yes: NDArray[np.bool_]) -> "_Order":
        order = np.argsort(scores, kind="stable")
        sorted_scores = scores[order]
        firsts = np.flatnonzero(np.r_[True, sorted_scores[1:] != sorted_scores[:-1]])
        return cls(order, firsts, yes[order])

    def areas(self, weights: Floats) -> Floats:
        """The area under each row of weights, [resamples, rows] -> [resamples]."""
        inside = weights[:, self.order]
        positive = np.add.reduceat(inside * self.yes, self.firsts, axis=1)
        negative = np.add.reduceat(inside * ~self.yes, self.firsts, axis=1)
        below = np.cumsum(negative, axis=1) - 0.5 * negative
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        won = (positive * below).sum(axis=1)
        areas: Floats = np.divide(won, pairs, out=np.full(len(won), np.nan), where=pairs > 0)
        return areas
