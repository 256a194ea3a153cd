"""The training rows, as batches take them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from intertask.data.rows import Rows
from intertask.data.seam import Batch
from intertask.errors import DataError
from intertask.model import ModelConfig
from intertask.options.config import Config
from intertask.samples.facts import Facts, row_task
from intertask.tasks._places import PlaceTaskConfig
from intertask.tasks._rows import RowTarget, RowTaskConfig


class RowFeed:
    """Rows with their labels.

    Args:
        config: Of the model.
        facts: Of these rows.
        training: The rows that train.

    Raises:
        DataError: None of them counts.
    """

    def __init__(self, config: ModelConfig, facts: Facts, training: Rows) -> None:
        self.read = facts.read(training)
        weights = weights_of(training)
        if not weights.any():
            raise DataError(
                "[data.rows] weight",
                "a training row that counts",
                f"0 in all {len(training):,}",
                "leave it out",
            )
        self.targets: Mapping[str, RowTarget] = {
            name: self._target(name, row_task(task), facts.answers[name], training, weights)
            for name, task in config.tasks.items()
        }

    def _target(
        self, name: str, task: RowTaskConfig, facts: Config, training: Rows, weights: NDArray[np.float32]
    ) -> RowTarget:
        found = task.target(task.labels(name, training, facts), weights, facts)
        if not isinstance(task, PlaceTaskConfig):
            return found
        asked = task.of or list(self.read.fields)[-1]
        return task.fitting(name, found, self.read.fields[asked].lengths_B)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Places of each row."""
        lengths: NDArray[np.int64] = self.read.lengths_B.numpy()
        return lengths

    @property
    def num_labels(self) -> dict[str, int]:
        """Rows of each task that have a label."""
        return {name: int(labels.known_B.sum()) for name, labels in self.targets.items()}

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """Some rows with their labels."""
        targets = {name: labels.take(rows) for name, labels in self.targets.items()}
        return Batch(self.read.take(rows).fields, targets)


def weights_of(rows: Rows) -> NDArray[np.float32]:
    """How much each row counts: 1, or what its role says."""
    if "weight" not in rows.roles.columns:
        return np.ones(len(rows), np.float32)
    weights: NDArray[np.float32] = np.array(rows.roles["weight"].to_numpy(), np.float32)
    return weights
