"""Tasks: one question each, with its target, head, loss and metrics. One file a task."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from intertask.answers import Answer, Array
from intertask.data.seam import Target
from intertask.data.sequences import Sequences
from intertask.errors import RecipeError
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import Items
from intertask.options.config import PluginConfig

SMALLEST_VARIANCE = 0.01  # of a value that hardly varies, whose errors must not count without bound


class TaskConfig(PluginConfig):
    """The config of a task.

    Args:
        weight: Weight of its loss relative to the other tasks; a million at most. A detached task has none.
        detached: The task reads what the encoder learns for the others, takes no part in the exchange, and
            trains only its own head, by itself: the other tasks are to the bit as they would be without it.
            For a task that harms others; `intertask transfer` names it.
        learning_rate: Of the weights of its head, in place of the rate of [train]; 0 keeps them as they are.
            The vectors of items, which heads share, are not its own.

    Attributes:
        needs_causal: Whether an encoder that looks ahead would see the answer.
        reads_items: Whether its head reads the vectors of items.
        of_rows: Whether it is asked of rows of a table rather than of a log.
        pooled: Whether it is asked once of a whole row, and its head reads one state [B, D] of it; of the
            others each place is asked, [B, L, D].
        judges: Whether it answers about one given item, beside a history.
    """

    weight: float = Field(default=1.0, gt=0, le=1e6)  # sums of larger ones may leave single precision
    detached: bool = False
    learning_rate: float | None = Field(default=None, ge=0, le=10)

    needs_causal: ClassVar[bool] = True
    reads_items: ClassVar[bool] = True
    of_rows: ClassVar[bool] = False
    pooled: ClassVar[bool] = False
    judges: ClassVar[bool] = False

    @property
    @abstractmethod
    def answer(self) -> Answer:
        """What a trained head gives: how it is measured, calibrated and shown."""

    @property
    def reads_all_items(self) -> bool:
        """Whether a step of training reads the vectors of all items rather than of some."""
        return False

    @abstractmethod
    def build(self, name: str, dimensions: Dimensions, items: Items | None) -> "Task":
        """The head and its loss.

        Args:
            name: Of the task.
            dimensions: Sizes of recipe and data.
            items: The vectors of the items; None in a model without items.

        Raises:
            RecipeError: The data has no such behaviour or label.
        """

    def asked(
        self, sequences: Sequences, targets: NDArray[np.int64], behaviours: tuple[str, ...]
    ) -> NDArray[np.int64]:
        """Which of the target events, by their place in `targets`, this task is asked about."""
        return np.arange(len(targets))

    def truth(self, sequences: Sequences, behaviours: tuple[str, ...]) -> Array:
        """The right answer at every event, NaN where there is none."""
        raise TypeError(f"{type(self).__name__} asks nothing of events")

    def nats(self, constant_loss: float) -> float:
        """What its loss is multiplied by to be a negative log-likelihood, given that of a constant answer."""
        return 1.0

    def constant_loss(self, training: Sequences, behaviours: tuple[str, ...]) -> float:
        """The loss of the best answer that ignores history and item: the scale of the task's loss."""
        raise TypeError(f"{type(self).__name__} asks nothing of events")


class Task(nn.Module, ABC):
    """A head with its loss.

    `calibration` is what the logits of its probabilities are divided by once it has been trained, 1 until
    then: a weight without gradient, so that it is kept with the others.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calibration = nn.Parameter(torch.ones(()), requires_grad=False)

    @abstractmethod
    def loss(self, states: Tensor, target: Target) -> Tensor | None:
        """The mean loss over what has a target; None where the batch has none.

        Args:
            states: The task's, [B, L, D], or [B, D] of a task that is asked of whole rows.
            target: What the batch asks of it.
        """

    def shift(self, logits: float) -> None:
        """Add to the logit of a yes, by a weight that is there; tasks that answer yes or no only."""
        raise TypeError(f"{type(self).__name__} answers no yes or no")

    def score_items(self, state_BD: Tensor) -> Tensor:
        """Scores of all items, [B, I], higher is better; tasks that rank items only."""
        raise TypeError(f"{type(self).__name__} does not rank items")

    def log_shares(self, scores_BI: Tensor) -> Tensor:
        """Calibrated log-probabilities of all items, from their scores."""
        return (scores_BI / float(self.calibration)).log_softmax(1)

    def predict(self, state_ND: Tensor, items_N: Tensor) -> Tensor:
        """The answer for each history, and its item where the task judges one, [N, ...]."""
        raise TypeError(f"{type(self).__name__} ranks items and predicts nothing else")


def behaviour_code(name: str, behaviours: tuple[str, ...], where: str) -> int:
    """The code of a behaviour.

    Raises:
        RecipeError: The log has no such behaviour.
    """
    if name not in behaviours:
        raise RecipeError(where, f"one of {', '.join(behaviours)}", repr(name), "name a behaviour of the log")
    return behaviours.index(name)
