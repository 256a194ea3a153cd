"""One of several classes, or several labels of many: accuracy, log loss, and AUC where there are two.

Many-class probabilities are summed and sorted in double precision; a class that no row has takes no part in
the mean over classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.answers import Answer, Array, Floats
from intertask.answers.probability import log_likelihoods, rarer_of_two
from intertask.answers.temperature import LEAST, binary_losses, softmax_losses
from intertask.metrics import responses
from intertask.metrics.abstention import Kept, risk_by_coverage
from intertask.metrics.responses import Bin

LIKELY = 0.5  # from here on a label is given


@dataclass(frozen=True)
class Category(Answer):
    """One class for each row, or any number of labels.

    With one class truth is its code, int [rows], and a prediction the probabilities of the classes, [rows,
    classes]. With several labels truth is 0 or 1 and a prediction the probability of 1, [rows, labels] both.

    Args:
        num_classes: Where it is known; two are also measured as yes (the second) or no.
        several: Whether a row may have any number of labels.
    """

    num_classes: int | None = None
    several: bool = False

    reported = quality = "-log_loss"
    probable = True

    @property
    def metrics(self) -> tuple[str, ...]:
        """Accuracy and log loss; AUC first where a class is a yes or no."""
        return ("auc", "accuracy", "log_loss") if self._two or self.several else ("accuracy", "log_loss")

    @property
    def monitor(self) -> str:
        """AUC of two classes; the log-likelihood of more, which every prediction moves."""
        return "auc" if self._two else "-log_loss"

    @property
    def _two(self) -> bool:
        return self.num_classes == 2 and not self.several

    def measure(self, truth: Array, predicted: Array) -> dict[str, float]:
        """The metrics.

        "accuracy" is the share of rows whose likeliest class is right, with several labels of those that
        have every label right; "balanced_accuracy" its mean over the classes that occur, "macro_f1" of more
        than two the mean of F1 over those that occur or are given. "auc" and
        "calibration_error" are of the second of two classes; of labels "auc" is the mean over those of
        which there is a yes and a no.
        """
        if not len(truth):
            return {}
        found = {name: float(values.mean()) for name, values in self.means(truth, predicted).items()}
        if self.several:
            return found | _mean_auc(truth, predicted)
        if self.num_classes is not None:
            right, codes = self._right(truth, predicted), truth.astype(np.int64)
            counts = np.bincount(codes)
            by_class = np.bincount(codes, right)[counts > 0] / counts[counts > 0]
            found["balanced_accuracy"] = float(by_class.mean())
            if not self._two:
                found["macro_f1"] = _macro_f1(codes, predicted.argmax(axis=1), len(predicted[0]))
        if self._two:
            binary = responses.binary(truth.astype(np.float64), _second(predicted))
            found |= {name: binary[name] for name in ("auc", "calibration_error") if name in binary}
        return found

    def qualities(self, truth: Array, predicted: Array) -> Floats:
        """Log-likelihoods of the right class; their mean over the labels."""
        if self.several:
            means: Floats = log_likelihoods(truth, predicted).mean(axis=1)
            return means
        own = np.take_along_axis(predicted, truth.astype(np.int64)[:, None], axis=1)[:, 0]
        found: Floats = np.log(np.maximum(own.astype(np.float64), LEAST))
        return found

    def means(self, truth: Array, predicted: Array) -> dict[str, Floats]:
        """Whether the answer is right, and log losses."""
        right = self._right(truth, predicted).astype(np.float64)
        return {"accuracy": right, "log_loss": -self.qualities(truth, predicted)}

    def yes_or_no(self, truth: Array, predicted: Array) -> tuple[Array, Floats] | None:
        """The second of two classes."""
        return (truth, _second(predicted)) if self._two else None

    def classes(self, truth: Array) -> Array | None:
        """The classes' codes; None for several labels."""
        return None if self.several else truth

    def rarer(self, truth: Array) -> tuple[int, str] | None:
        """The rarer of two classes."""
        return rarer_of_two(truth) if self._two else None

    def bins(self, truth: Array, predicted: Array) -> list[Bin]:
        """Of the second of two classes, of the likeliest of more, and of all labels together."""
        told = self._told(truth, predicted)
        return [] if told is None else responses.calibration_bins(*told)

    def quantiles(self, truth: Array, predicted: Array) -> list[Bin]:
        """The same with about as many rows in each."""
        told = self._told(truth, predicted)
        return [] if told is None else responses.quantile_bins(*told)

    def abstention(self, truth: Array, predicted: Array) -> list[Kept]:
        """Of the likeliest class; nothing of several labels."""
        if self.several or not len(truth):
            return []
        return risk_by_coverage(predicted.astype(np.float64).max(axis=1), self._right(truth, predicted))

    def _told(self, truth: Array, predicted: Array) -> tuple[Floats, Floats] | None:
        if self.several:
            return truth.astype(np.float64).ravel(), predicted.astype(np.float64).ravel()
        if self.num_classes is None:
            return None
        if self._two:
            return truth.astype(np.float64), _second(predicted)
        likeliest = predicted.astype(np.float64).max(axis=1).clip(0.0, 1.0)
        return self._right(truth, predicted).astype(np.float64), likeliest

    def _right(self, truth: Array, predicted: Array) -> NDArray[np.bool_]:
        if self.several:
            given: NDArray[np.bool_] = predicted.astype(np.float64) >= LIKELY
            right: NDArray[np.bool_] = (given == (truth.astype(np.float64) > 0)).all(axis=1)
            return right
        return np.asarray(predicted.argmax(axis=1) == truth, dtype=np.bool_)

    def guess(self, truth: Array) -> Array:
        """All classes alike."""
        count = self.num_classes or 1
        return np.full((len(truth), count), 1 / count, np.float32)

    def base_rate(self, known: Array, predicted: Array) -> NDArray[np.float32]:
        """The shares of the classes in training, of which each has one row more than there is."""
        if self.several:
            shares = known.astype(np.float64).mean(axis=0)
        else:
            counts = np.bincount(known.astype(np.int64), minlength=predicted.shape[1]) + 1.0
            shares = counts / counts.sum()
        return np.tile(shares.astype(np.float32), (len(predicted), 1))

    def losses(self, truth: Array, predicted: Array, before: Floats | None = None) -> Floats:
        """Of the softmax, or of every label's own probability."""
        told = predicted.astype(np.float64)
        if self.several:
            return binary_losses(told, truth, np.ones(1))
        return softmax_losses(np.log(np.maximum(told, LEAST)), truth)

    def frame(
        self, name: str, predicted: Array, classes: Sequence[object] = (), at_least: float | None = None
    ) -> pl.DataFrame:
        """The likeliest class in the column `name`, its probability, and the probability of each class.

        With several labels `name` is the list of those that are given. Columns are called NAME_probability
        and NAME=CLASS.

        Raises:
            ValueError: There are not as many classes as probabilities.
        """
        told = predicted.astype(np.float64)
        if len(classes) != told.shape[1]:
            raise ValueError(f"classes: expected {told.shape[1]} names, found {len(classes)}")
        columns: dict[str, pl.Series] = {}
        if self.several:
            least = LIKELY if at_least is None else at_least
            given = [
                [own for own, p in zip(classes, row, strict=True) if p >= least] for row in told.tolist()
            ]
            columns[name] = pl.Series(name, given, dtype=pl.List(pl.Series(classes).dtype))
        else:
            best = told.argmax(axis=1)
            likeliest = pl.Series(told.max(axis=1))
            answers = pl.Series(name, classes).gather(best)
            kept = likeliest >= (0.0 if at_least is None else at_least)
            columns[name] = pl.select(pl.when(kept).then(answers)).to_series().alias(name)
            columns[f"{name}_probability"] = likeliest
        for place, own in enumerate(classes):
            columns[f"{name}={own}"] = pl.Series(told[:, place])
        return pl.DataFrame(columns)


def _macro_f1(truth: NDArray[np.int64], given: NDArray[np.int64], num_classes: int) -> float:
    right = np.bincount(truth[truth == given], minlength=num_classes)
    either = np.bincount(truth, minlength=num_classes) + np.bincount(given, minlength=num_classes)
    return float((2 * right[either > 0] / either[either > 0]).mean())


def _second(predicted: Array) -> Floats:
    return predicted[:, 1].astype(np.float64).clip(0.0, 1.0)


def _mean_auc(truth: Array, predicted: Array) -> dict[str, float]:
    own = [
        responses.binary(truth[:, place].astype(np.float64), predicted[:, place].astype(np.float64))
        for place in range(truth.shape[1])
    ]
    found = [metrics["auc"] for metrics in own if "auc" in metrics]
    return {"auc": float(np.mean(found))} if found else {}
