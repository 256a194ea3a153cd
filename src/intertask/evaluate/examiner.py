"""What training asks of whoever knows the validation targets of a stream, whatever kind of data it is."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from intertask.data.seam import Frozen
from intertask.evaluate.choosing import Basis
from intertask.evaluate.protocol import AnyProtocol
from intertask.model import Model

# How well each target was answered, higher is better, and the unit that is resampled of each (a user, a
# document, a day, a hospital), int64.
Qualities = tuple[NDArray[np.float64], NDArray[np.int64]]


class Examiner(Protocol):
    """Answers of a model to the validation targets of one stream.

    Metrics are named "task/metric"; higher is better for each, losses are negated. Where there are several
    tasks, "all" is a metric over them.
    """

    def names(self) -> list[str]:
        """The names of the metrics that the tasks will have, without asking a model."""
        ...

    def monitor(self, task: str) -> str:
        """The metric of a task that chooses the epoch where none is named, among those that it will have."""
        ...

    def bases(self) -> Mapping[str, Basis]:
        """What the metrics of each task are taken from, for tasks that have targets."""
        ...

    def advice(self, task: str) -> str:
        """What to do where a task has no target; empty where nothing but another split would help."""
        ...

    def protocol(self, model: Model) -> AnyProtocol:
        """How the metrics of a model are measured."""
        ...

    def __call__(self, model: Model) -> dict[str, float]:
        """The metrics of the model as it is; called after each epoch."""
        ...

    def frozen(self, model: Model) -> Frozen:
        """The reported metrics of a model of which nothing but heads changes from now on."""
        ...

    def calibration(self, model: Model, task: str) -> Qualities | None:
        """How well the calibration targets of a task are answered; None where it has none."""
        ...

    def calibrate(self, model: Model) -> None:
        """Set what the logits of each task's probabilities are divided by."""
        ...
