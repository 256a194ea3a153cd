"""Which behaviour comes next, whatever its item: a softmax over the behaviours of the log."""

from typing import ClassVar, Literal

import numpy as np
import torch
from scipy.special import entr
from torch import Tensor, nn
from torch.nn import functional

from intertask.answers import Answer, Array
from intertask.answers.category import Category
from intertask.data.batches import Following
from intertask.data.seam import Target
from intertask.data.sequences import Sequences
from intertask.errors import RecipeError
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import Items
from intertask.tasks import Task, TaskConfig


class Config(TaskConfig):
    """No options but the weight."""

    reads_items: ClassVar[bool] = False
    kind: Literal["next_behaviour"] = "next_behaviour"

    @property
    def answer(self) -> Answer:
        """One of the behaviours of the log."""
        return Category()

    def build(self, name: str, dimensions: Dimensions, items: Items | None) -> "NextBehaviour":
        """The head and its loss."""
        if len(dimensions.behaviours) < 2:
            raise RecipeError(
                f"[tasks.{name}]",
                "a log with two behaviours at least",
                ", ".join(dimensions.behaviours),
                "map the behaviour column, or leave the task out",
            )
        return NextBehaviour(dimensions.width, len(dimensions.behaviours))

    def truth(self, sequences: Sequences, behaviours: tuple[str, ...]) -> Array:
        """The behaviours' codes."""
        return np.asarray(sequences.behaviours)

    def constant_loss(self, training: Sequences, behaviours: tuple[str, ...]) -> float:
        """The entropy of the behaviours' training shares, in nats."""
        counts = np.bincount(training.behaviours, minlength=len(behaviours)) + 1e-12
        return float(entr(counts / counts.sum()).sum())


class NextBehaviour(Task):
    """A linear map from the state to the behaviours."""

    def __init__(self, width: int, num_behaviours: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, num_behaviours)

    def loss(self, states: Tensor, target: Target) -> Tensor | None:
        """Cross-entropy at every position that has a next event."""
        assert isinstance(target, Following)
        mask_BL = target.mask_BL
        if not mask_BL.any():
            return None
        return functional.cross_entropy(self.head(states[mask_BL]), target.behaviours_BL[mask_BL])

    def predict(self, state_ND: Tensor, items_N: Tensor) -> Tensor:
        """Probabilities of the behaviours, [N, behaviours], whatever the item."""
        return torch.softmax(self.head(state_ND) / self.calibration, dim=-1)
