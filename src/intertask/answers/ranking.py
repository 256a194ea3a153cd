"""A ranking of all items: NDCG and hit rate at 10."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.answers import SMALLEST, Answer, Array, Floats
from intertask.answers.temperature import softmax_losses
from intertask.metrics.direction import MAIN_METRIC, K
from intertask.metrics.ranking import hit_rate, ndcg


class Ranking(Answer):
    """Where a system puts the right item. Truth is its code, a prediction its rank from 1; int [rows]."""

    metrics = (MAIN_METRIC, f"hr@{K}")
    monitor = reported = quality = MAIN_METRIC
    probable = True
    ranks = True

    def measure(self, truth: Array, predicted: Array) -> dict[str, float]:
        """NDCG and hit rate at 10."""
        if not len(predicted):
            return {}
        return {name: float(values.mean()) for name, values in self.means(truth, predicted).items()}

    def qualities(self, truth: Array, predicted: Array) -> Floats:
        """NDCG at 10."""
        return ndcg(predicted.astype(np.int64), K)

    def means(self, truth: Array, predicted: Array) -> dict[str, Floats]:
        """NDCG and hit rate at 10."""
        ranks = predicted.astype(np.int64)
        return {MAIN_METRIC: ndcg(ranks, K), f"hr@{K}": hit_rate(ranks, K)}

    def fine_qualities(self, truth: Array, predicted: Array) -> Floats:
        """NDCG without a cut, which moves with every rank."""
        ranks = predicted.astype(np.int64)
        return ndcg(ranks, int(ranks.max(initial=1)))

    def worth(self, reported: float) -> float:
        """The NDCG itself."""
        return max(SMALLEST, reported)

    def base_rate(self, known: Array, predicted: Array) -> NDArray[np.float32]:
        """A ranking has none: the baselines stand in its place."""
        raise TypeError("a ranking is set against baselines, not against a base rate")

    def losses(self, truth: Array, predicted: Array, before: Floats | None = None) -> Floats:
        """Of the softmax over scores, [rows, items]."""
        return softmax_losses(predicted.astype(np.float32, copy=False), truth)

    def frame(
        self, name: str, predicted: Array, classes: Sequence[object] = (), at_least: float | None = None
    ) -> pl.DataFrame:
        """The column `name`, the ranks."""
        return pl.DataFrame({name: predicted.astype(np.int64)})
