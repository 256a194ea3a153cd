"""What tasks share that read every place of a row: a label for each, or what is spelt along them."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from intertask.data.seam import Target
from intertask.tasks import Task
from intertask.tasks._rows import RowTarget, RowTaskConfig


class PlaceTaskConfig(RowTaskConfig):
    """The config of a task whose head reads all places of a row, [B, L, D].

    Args:
        of: The one of several inputs whose places it reads; the last of them if left out.
    """

    of: str | None = Field(default=None, max_length=200)

    pooled: ClassVar[bool] = False

    def fitting(self, name: str, target: RowTarget, places_B: Tensor) -> RowTarget:
        """What is learned of training rows, less those whose label does not fit their places.

        Args:
            name: Of the task.
            target: Of all training rows.
            places_B: Places of each.

        Raises:
            DataError: Too many do not fit.
        """
        return target


class PlaceTask(Task):
    """A head that answers for a whole row, from the state of each of its places."""

    @abstractmethod
    def loss_of_places(self, states_BLD: Tensor, lengths_B: Tensor, target: Target) -> Tensor | None:
        """The mean loss of the rows that have a label; None where the batch has none.

        Args:
            states_BLD: Of the places; behind its length a row holds what nobody may read.
            lengths_B: int64, real places of each row.
            target: What the batch asks.
        """

    @abstractmethod
    def answer_of_places(self, states_BLD: Tensor, lengths_B: Tensor) -> NDArray[np.object_]:
        """What the task's answer measures: a text, or a list, for each row."""

    def loss(self, states: Tensor, target: Target) -> Tensor | None:
        """Nothing without the lengths of rows."""
        raise TypeError(f"{type(self).__name__} needs the lengths of rows")
