"""How far the gradients of tasks agreed over some trainings, as their journals say it.

A step has the tasks of one stream that had a target in its batch, so that each pair has steps of its own.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intertask.options.config import Config
from intertask.storage.journal import of_event

Matrix = list[list[float | None]]  # tasks x tasks; None where none was measured


class Cosines(Config):
    """Mean cosines between the gradients of the tasks at the weights that they share, over training."""

    tasks: list[str]
    mean: Matrix
    error: Matrix  # standard error of the mean, over the steps that were looked at
    by_epoch: list[Matrix]

    def of(self, task: str) -> dict[str, tuple[float, float]]:
        """The mean and its error, infinite after one step, with each other task that it was compared with."""
        if task not in self.tasks:
            return {}
        place = self.tasks.index(task)
        rows = zip(self.tasks, self.mean[place], self.error[place], strict=True)
        return {
            other: (mean, math.inf if error is None else error)
            for other, mean, error in rows
            if other != task and mean is not None
        }


def cosines(runs: Sequence[Path]) -> Cosines | None:
    """The cosines that the journals of some runs hold; None where they hold none."""
    lines = [line for folder in runs for line in of_event(folder, "gradients")]
    if not lines:
        return None
    lines = [line for line in lines if line.get("at") == "weights"] or lines  # never a mean of two kinds
    # A step has the tasks of one stream that have a target in its batch; the longest lists know the order.
    by_length = sorted((line["tasks"] for line in lines), key=len, reverse=True)
    tasks = list(dict.fromkeys(task for names in by_length for task in names))
    every = np.full((len(lines), len(tasks), len(tasks)), np.nan)
    for row, line in enumerate(lines):
        places = [tasks.index(task) for task in line["tasks"]]
        every[row][np.ix_(places, places)] = _measured(line)
    epochs = np.array([line["epoch"] for line in lines])
    mean, error = _moments(every)
    return Cosines(
        tasks=tasks,
        mean=mean,
        error=error,
        by_epoch=[_moments(every[epochs == epoch])[0] for epoch in np.unique(epochs)],
    )


def _measured(line: Mapping[str, Any]) -> NDArray[np.float64]:
    """The cosines of a step; unknown where an older run looked at the trunk's output and saw none at all.

    There tasks whose targets stand at different positions are orthogonal, whatever they want of the weights.
    """
    found = np.array(line["cosines"], dtype=np.float64)
    if line.get("at") != "weights":
        found[found == 0] = np.nan
    return found


def _moments(every: NDArray[np.float64]) -> tuple[Matrix, Matrix]:
    """The mean over the steps that know a cosine, and its standard error."""
    known = ~np.isnan(every)
    count = np.where(known.any(0), known.sum(0), np.nan)
    mean = np.where(known, every, 0).sum(0) / count
    squares = (np.where(known, every - mean, 0) ** 2).sum(0)
    variance = squares / np.where(count > 1, count - 1, np.nan)  # one step knows nothing of chance
    return _rounded(mean), _rounded((variance / count) ** 0.5)


def _rounded(values: NDArray[np.float64]) -> Matrix:
    return [[None if np.isnan(v) else round(float(v), 4) for v in row] for row in values]


def opposed_by(task: str, found: Cosines | None) -> str | None:
    """The task whose gradient points against this one's by more than chance; None where none does."""
    compared = {} if found is None else found.of(task)
    highest = {other: mean + 2 * error for other, (mean, error) in compared.items()}
    opposed = [other for other, cosine in highest.items() if cosine < 0]
    return min(opposed, key=highest.__getitem__, default=None)
