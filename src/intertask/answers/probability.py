"""The probability of a yes: AUC, log loss and calibration."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.answers import Answer, Array, Floats
from intertask.answers.temperature import LEAST, binary_losses
from intertask.metrics import responses
from intertask.metrics.responses import Bin


class Probability(Answer):
    """Yes or no. Truth is 0 or 1, a prediction the probability of 1; [rows] both."""

    metrics = ("auc", "log_loss")
    monitor = "auc"
    reported = quality = "-log_loss"
    probable = True

    def measure(self, truth: Array, predicted: Array) -> dict[str, float]:
        """ "auc", "log_loss" and "calibration_error"."""
        return responses.binary(truth.astype(np.float64), predicted.astype(np.float64))

    def qualities(self, truth: Array, predicted: Array) -> Floats:
        """Log-likelihoods."""
        return log_likelihoods(truth, predicted)

    def means(self, truth: Array, predicted: Array) -> dict[str, Floats]:
        """Log losses."""
        return {"log_loss": -self.qualities(truth, predicted)}

    def yes_or_no(self, truth: Array, predicted: Array) -> tuple[Array, Floats] | None:
        """Both as they are."""
        return truth, predicted.astype(np.float64)

    def classes(self, truth: Array) -> Array | None:
        """Yes and no."""
        return truth

    def rarer(self, truth: Array) -> tuple[int, str] | None:
        """The rarer of yes and no."""
        return rarer_of_two(truth)

    def bins(self, truth: Array, predicted: Array) -> list[Bin]:
        """Ten bins of the probability."""
        return responses.calibration_bins(truth.astype(np.float64), predicted.astype(np.float64))

    def quantiles(self, truth: Array, predicted: Array) -> list[Bin]:
        """Ten bins of about as many rows."""
        return responses.quantile_bins(truth.astype(np.float64), predicted.astype(np.float64))

    def base_rate(self, known: Array, predicted: Array) -> NDArray[np.float32]:
        """The share of yes."""
        return np.full(len(predicted), known.mean(), np.float32)

    def losses(self, truth: Array, predicted: Array, before: Floats | None = None) -> Floats:
        """Of the product of a step's probability, whose logit is divided, and of the steps before it."""
        given = np.ones(len(predicted)) if before is None else np.maximum(before, 1e-30)
        return binary_losses(predicted.astype(np.float64) / given, truth, given)

    def frame(
        self, name: str, predicted: Array, classes: Sequence[object] = (), at_least: float | None = None
    ) -> pl.DataFrame:
        """The column `name`, the probability of yes."""
        return pl.DataFrame({name: predicted.astype(np.float64)})


def log_likelihoods(truth: Array, predicted: Array) -> Floats:
    """Log of the probability of what was right, of yes and no; any shape."""
    yes = predicted.astype(np.float64)
    found: Floats = np.log(np.maximum(np.where(truth.astype(np.float64) > 0, yes, 1 - yes), LEAST))
    return found


def rarer_of_two(truth: Array) -> tuple[int, str]:
    """How many have the rarer answer, and whether it is the positive one."""
    yes = int((truth.astype(np.float64) == 1).sum())
    no = len(truth) - yes
    return min(yes, no), "positive" if yes <= no else "negative"
