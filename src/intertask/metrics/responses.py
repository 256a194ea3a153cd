"""How well probabilities and values were predicted: AUC, log loss, calibration; RMSE, MAE.

scikit-learn computes what it has; it is imported when a metric is asked for, since that takes a second.
A label of NaN is a missing label: its row is left out. A figure that the rows do not define is left out of
the answer, never invented.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Bin:
    """Predicted against observed among the rows whose probability falls into one bin."""

    predicted: float  # mean probability
    observed: float  # share of positives
    count: int  # rows


def binary(labels: Floats, probabilities: Floats, num_bins: int = 10) -> dict[str, float]:
    """ "auc", "log_loss" (nats) and "calibration_error" of predicted probabilities.

    "auc" is absent where only one class occurs; everything is absent where no label is known. A probability
    of exactly 0 or 1 that turns out wrong costs about 36 nats, the most that a double can tell from 1.

    Args:
        labels: [rows], 0 or 1, NaN where unknown.
        probabilities: [rows], 0 to 1.
        num_bins: Bins of equal width for the calibration error.

    Raises:
        ValueError: A label is not 0, 1 or NaN, a probability is not in 0 to 1, or the lengths differ.

    Source:
        Expected calibration error: Naeini et al., "Obtaining well calibrated probabilities using Bayesian
        binning" (2015), section 4, for the positive class.
    """
    from sklearn.metrics import log_loss, roc_auc_score

    known, predicted = _known_binary(labels, probabilities)
    if not len(known):
        return {}
    found = {
        "log_loss": float(log_loss(known, predicted, labels=[0.0, 1.0])),
        "calibration_error": _calibration_error(calibration_bins(known, predicted, num_bins)),
    }
    if known.min() < known.max():
        found["auc"] = float(roc_auc_score(known, predicted))
    return found


def calibration_bins(labels: Floats, probabilities: Floats, num_bins: int = 10) -> list[Bin]:
    """The bins that hold at least one row, from low to high probability.

    Args:
        labels: As for `binary`.
        probabilities: As for `binary`.
        num_bins: Bins of equal width; each takes its upper edge, and the first takes 0.

    Raises:
        ValueError: As for `binary`, or `num_bins` is below 1.
    """
    if num_bins < 1:
        raise ValueError(f"num_bins: expected at least 1, found {num_bins}")
    known, predicted = _known_binary(labels, probabilities)
    return _binned(np.searchsorted(np.linspace(0.0, 1.0, num_bins + 1)[1:-1], predicted), known, predicted)


def quantile_bins(labels: Floats, probabilities: Floats, num_bins: int = 10) -> list[Bin]:
    """Bins of about as many rows each, which show rare events as well; equal probabilities share a bin.

    Args:
        labels: As for `binary`.
        probabilities: As for `binary`.
        num_bins: At most.

    Raises:
        ValueError: As for `binary`.
    """
    known, predicted = _known_binary(labels, probabilities)
    if not len(known):
        return []
    edges = np.unique(np.quantile(predicted, np.linspace(0.0, 1.0, num_bins + 1)[1:-1]))
    return _binned(np.searchsorted(edges, predicted), known, predicted)


def _binned(bins: NDArray[np.intp], known: NDArray[np.float64], predicted: NDArray[np.float64]) -> list[Bin]:
    num_bins = int(bins.max(initial=0)) + 1
    counts = np.bincount(bins, minlength=num_bins)
    predicted_sums = np.bincount(bins, weights=predicted, minlength=num_bins)
    observed_sums = np.bincount(bins, weights=known, minlength=num_bins)
    return [
        Bin(float(predicted_sums[b] / counts[b]), float(observed_sums[b] / counts[b]), int(counts[b]))
        for b in np.flatnonzero(counts)
    ]


def regression(labels: Floats, predictions: Floats) -> dict[str, float]:
    """ "rmse" and "mae" of predicted values, in the label's own unit; empty where no label is known.

    Args:
        labels: [rows], NaN where unknown.
        predictions: [rows], finite.

    Raises:
        ValueError: A label is infinite, a prediction is not finite, or the lengths differ.
    """
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    known, predicted = _known(labels, predictions)
    if not len(known):
        return {}
    return {
        "rmse": float(root_mean_squared_error(known, predicted)),
        "mae": float(mean_absolute_error(known, predicted)),
    }


def _calibration_error(bins: list[Bin]) -> float:
    total = sum(part.count for part in bins)
    return sum(part.count * abs(part.predicted - part.observed) for part in bins) / total


def _known_binary(labels: Floats, probabilities: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    known, predicted = _known(labels, probabilities)
    if not np.isin(known, (0.0, 1.0)).all():
        raise ValueError(f"labels: expected 0, 1 or NaN, found {known[~np.isin(known, (0.0, 1.0))][0]}")
    if len(predicted) and not (predicted.min() >= 0.0 and predicted.max() <= 1.0):
        raise ValueError(f"probabilities: expected 0 to 1, found {predicted.min()} to {predicted.max()}")
    return known, predicted


def _known(labels: Floats, predictions: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if labels.shape != predictions.shape or labels.ndim != 1:
        raise ValueError(
            f"labels and predictions: expected [rows], found {labels.shape} and {predictions.shape}"
        )
    is_known = ~np.isnan(labels)
    known = labels[is_known].astype(np.float64)
    predicted = predictions[is_known].astype(np.float64)
    if not (np.isfinite(known).all() and np.isfinite(predicted).all()):
        raise ValueError("labels and predictions: expected finite numbers, found some that are not")
    return known, predicted
