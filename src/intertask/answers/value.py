"""A value: RMSE and MAE in the label's own unit."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.answers import Answer, Array, Floats
from intertask.metrics import responses


class Value(Answer):
    """A number for each row. Truth and prediction are floats, [rows]."""

    metrics = ("rmse", "mae")
    monitor = reported = "-rmse"
    quality = "-squared_error"

    def measure(self, truth: Array, predicted: Array) -> dict[str, float]:
        """ "rmse" and "mae"."""
        return responses.regression(truth.astype(np.float64), predicted.astype(np.float64))

    def qualities(self, truth: Array, predicted: Array) -> Floats:
        """The squared errors, negated."""
        return -((predicted.astype(np.float64) - truth.astype(np.float64)) ** 2)

    def means(self, truth: Array, predicted: Array) -> dict[str, Floats]:
        """Squared and absolute errors."""
        errors: Floats = np.abs(predicted.astype(np.float64) - truth.astype(np.float64))
        return {"rmse": errors**2, "mae": errors}

    def of_mean(self, metric: str, mean: Floats) -> Floats:
        """The root of the mean squared error."""
        return np.sqrt(mean) if metric == "rmse" else mean

    def base_rate(self, known: Array, predicted: Array) -> NDArray[np.float32]:
        """The mean."""
        return np.full(len(predicted), known.mean(), np.float32)

    def frame(
        self, name: str, predicted: Array, classes: Sequence[object] = (), at_least: float | None = None
    ) -> pl.DataFrame:
        """The column `name`."""
        return pl.DataFrame({name: predicted.astype(np.float64)})
