"""Answers: what each kind of task gives, how it is measured and what a caller gets. One file a kind.

An answer knows truths and predictions as arrays, and nothing of models, logs or tables: what is asked of an
event log and what is asked of a row of a table are measured by the same class.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.metrics.abstention import Kept
from intertask.metrics.responses import Bin

SMALLEST = 1e-6  # below it a metric counts as this much: zero has no logarithm
Array = NDArray[np.generic]
Floats = NDArray[np.float64]


class Answer(ABC):
    """One kind of answer.

    Truth is known of every row that an answer is asked about; whoever asks leaves out rows without a label.
    """

    @property
    @abstractmethod
    def metrics(self) -> tuple[str, ...]:
        """The metrics that are taken after each epoch, in order, by their own names ("log_loss")."""

    @property
    @abstractmethod
    def monitor(self) -> str:
        """The metric that chooses the epoch, higher is better ("-log_loss")."""

    @property
    @abstractmethod
    def reported(self) -> str:
        """The metric by which a task counts among several and is set against itself, higher is better."""

    @property
    @abstractmethod
    def quality(self) -> str:
        """What `qualities` are called."""

    @property
    def probable(self) -> bool:
        """Whether it is a probability, which a temperature can calibrate."""
        return False

    @property
    def ranks(self) -> bool:
        """Whether it orders all items of a catalogue."""
        return False

    @abstractmethod
    def measure(self, truth: Array, predicted: Array) -> dict[str, float]:
        """The metrics that these rows define, by their own names; a metric they do not define is absent."""

    @abstractmethod
    def qualities(self, truth: Array, predicted: Array) -> Floats:
        """How good each prediction is, [rows], higher is better: what the bootstrap resamples."""

    @abstractmethod
    def means(self, truth: Array, predicted: Array) -> dict[str, Floats]:
        """The metrics that are means over rows, with the value of each row, [rows]; `of_mean` ends them."""

    def of_mean(self, metric: str, mean: Floats) -> Floats:
        """A metric, from the mean of what `means` has of it."""
        return mean

    def yes_or_no(self, truth: Array, predicted: Array) -> tuple[Array, Floats] | None:
        """Truth and probability of yes, of which "auc" is taken, [rows] both; None where it is not."""
        return None

    def fine_qualities(self, truth: Array, predicted: Array) -> Floats:
        """The same, moving with every change of a prediction: what small differences are judged by."""
        return self.qualities(truth, predicted)

    def classes(self, truth: Array) -> Array | None:
        """The right answers where each is one of a few, [rows]; None for all others."""
        return None

    def rarer(self, truth: Array) -> tuple[int, str] | None:
        """Number of rows with the rarer of two answers, and its name; None where there are not two."""
        return None

    def bins(self, truth: Array, predicted: Array) -> list[Bin]:
        """Predicted against observed in bins of equal width; empty where there is no probability to check."""
        return []

    def quantiles(self, truth: Array, predicted: Array) -> list[Bin]:
        """The same in bins of about as many rows each, which show rare events."""
        return []

    def abstention(self, truth: Array, predicted: Array) -> list[Kept]:
        """What is wrong where the least certain answers are not given; empty where none is certain."""
        return []

    def worth(self, reported: float) -> float:
        """The reported metric as a positive number for a geometric mean over tasks."""
        return 1 / max(SMALLEST, -reported)  # of a loss or an error; a change in percent counts the same

    def guess(self, truth: Array) -> Array:
        """Some answer to these questions, of the right shape: which metrics they define."""
        return np.full(len(truth), 0.5, np.float32)

    def of_reference(self, predicted: Array, known: Array, told: Callable[[], Array]) -> Array:
        """What a reference answers, as `measure` takes it.

        Args:
            predicted: Classes' probabilities, or numbers.
            known: The right answers of other rows.
            told: Gives what the reference answers to these.
        """
        return predicted

    @abstractmethod
    def base_rate(self, known: Array, predicted: Array) -> Array:
        """What answers without looking: the same for every row.

        Args:
            known: The right answers of the training rows.
            predicted: A prediction for the rows that are asked for, whose shape it takes.
        """

    def losses(self, truth: Array, predicted: Array, before: Floats | None = None) -> Floats:
        """Sum of the log losses under each temperature of the grid (`answers.temperature`).

        Args:
            truth: The right answers.
            predicted: Probabilities; of a ranking the scores of all items.
            before: Probability of the steps of a funnel before this one, [rows].

        Raises:
            TypeError: It is no probability.
        """
        raise TypeError(f"{type(self).__name__} is no probability")

    @abstractmethod
    def frame(
        self, name: str, predicted: Array, classes: Sequence[object] = (), at_least: float | None = None
    ) -> pl.DataFrame:
        """What a caller gets, a row for each prediction.

        Args:
            name: Of the task, and of the first column.
            predicted: As `measure` takes it.
            classes: Names of the classes in the order of their codes, for kinds that have some.
            at_least: Leave the answer empty where its probability is lower, for kinds that have one.
        """
