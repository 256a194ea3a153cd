"""Quantiles of a number that lies ahead: pinball loss, error of the median, and whether its sign is right.

Source: Koenker and Bassett, "Regression Quantiles", Econometrica 46, 1978.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.answers import Answer, Array, Floats


@dataclass(frozen=True)
class Forecast(Answer):
    """Truth is a float, [rows]; a prediction its quantiles, [rows, levels], one of which is the median.

    Args:
        levels: Rising, 0.5 among them.
    """

    levels: tuple[float, ...] = (0.1, 0.5, 0.9)

    monitor = reported = quality = "-pinball_loss"
    metrics = ("pinball_loss", "mae", "direction", "interval_coverage")

    @property
    def _middle(self) -> int:
        return self.levels.index(0.5)

    def measure(self, truth: Array, predicted: Array) -> dict[str, float]:
        """The metrics.

        "pinball_loss" is the mean over the levels, in the label's own unit; "mae" that of the median;
        "direction" the share of rows whose median has the sign of the truth, half for a zero of either;
        "interval_coverage" the share of truths between the lowest and the highest quantile.
        """
        if not len(truth):
            return {}
        return {name: float(values.mean()) for name, values in self.means(truth, predicted).items()}

    def means(self, truth: Array, predicted: Array) -> dict[str, Floats]:
        """The value of each row."""
        right, told = truth.astype(np.float64), predicted.astype(np.float64)
        median = told[:, self._middle]
        signs = np.sign(right) * np.sign(median)
        return {
            "pinball_loss": pinball(right, told, self.levels),
            "mae": np.abs(right - median),
            "direction": (1.0 + signs) / 2,
            "interval_coverage": ((right >= told[:, 0]) & (right <= told[:, -1])).astype(np.float64),
        }

    def qualities(self, truth: Array, predicted: Array) -> Floats:
        """Pinball losses, negated."""
        return -self.means(truth, predicted)["pinball_loss"]

    def guess(self, truth: Array) -> Array:
        """Zero."""
        return np.zeros((len(truth), len(self.levels)), np.float32)

    def base_rate(self, known: Array, predicted: Array) -> Array:
        """The quantiles of the training labels."""
        told = np.quantile(known.astype(np.float64), self.levels).astype(np.float32)
        return np.tile(told, (len(predicted), 1))

    def of_reference(self, predicted: Array, known: Array, told: Callable[[], Array]) -> Array:
        """Numbers with the quantiles of what was wrong with it on other rows, whose median is taken away.

        Args:
            predicted: Numbers, [rows].
            known: The right answers of the other rows.
            told: Gives the numbers that were said of these.
        """
        errors = known.astype(np.float64) - told().astype(np.float64)
        spread = np.quantile(errors, self.levels) if len(errors) else np.zeros(len(self.levels))
        spread -= spread[self._middle]
        return (predicted.astype(np.float64)[:, None] + spread).astype(np.float32)

    def frame(
        self, name: str, predicted: Array, classes: Sequence[object] = (), at_least: float | None = None
    ) -> pl.DataFrame:
        """The median in the column `name`, and each quantile as NAME_LEVEL."""
        told = predicted.astype(np.float64)
        columns = {name: told[:, self._middle]}
        columns |= {f"{name}_{level:g}": told[:, place] for place, level in enumerate(self.levels)}
        return pl.DataFrame(columns)


def pinball(truth: Floats, predicted: Floats, levels: Sequence[float]) -> Floats:
    """The loss of each row, the mean over the levels."""
    over: NDArray[np.float64] = truth[:, None] - predicted
    share = np.array(levels)
    found: Floats = np.maximum(share * over, (share - 1) * over).mean(1)
    return found
