"""Which item comes next: a softmax over the catalogue, for one behaviour or for any."""

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, SerializeAsAny
from scipy.special import entr
from torch import Tensor, nn
from torch.nn import functional

from intertask.answers import Answer, Array
from intertask.answers.ranking import Ranking
from intertask.data.batches import Following
from intertask.data.seam import Target
from intertask.data.sequences import Sequences
from intertask.errors import RecipeError
from intertask.losses import LossConfig
from intertask.losses.full_softmax import Config as FullSoftmax
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import Items, ItemVectors, SomeItems, UnitVectors
from intertask.options.config import plugin
from intertask.tasks import Task, TaskConfig, behaviour_code


class Config(TaskConfig):
    """Options of a next-item task.

    Args:
        behaviour: Rank the next item of this behaviour, e.g. `purchase`; the next item of any behaviour if
            left out.
        horizon: "next": learn at positions whose very next event is of the behaviour; "later": learn at every
            position the first later event of the behaviour within the window. Without a behaviour the two
            are the same.
        temperature: If given, scores are cosines divided by it, as in HSTU (0.05 there), and the length of an
            item's vector has no effect. Plain products if left out.
        loss: The loss over the catalogue, as a table [tasks.NAME.loss].
        own_map: Whether a linear map of the task's own stands between its state and the product; if left out
            where several tasks are trained together, and in a detached task.
    """

    kind: Literal["next_item"] = "next_item"
    behaviour: str | None = None
    horizon: Literal["next", "later"] = "next"
    temperature: float | None = Field(default=None, gt=0)
    loss: Annotated[SerializeAsAny[LossConfig], plugin("losses")] = FullSoftmax()
    own_map: bool | None = None

    @property
    def answer(self) -> Answer:
        """A ranking of the catalogue."""
        return Ranking()

    @property
    def reads_all_items(self) -> bool:
        """Whether its loss does."""
        return self.loss.reads_all_items

    def build(self, name: str, dimensions: Dimensions, items: Items | None) -> "NextItem":
        """The head and its loss."""
        assert items is not None
        code = None
        if self.behaviour is not None:
            code = behaviour_code(self.behaviour, dimensions.behaviours, f"[tasks.{name}] behaviour")
        return NextItem(self, code, dimensions, items)

    def asked(
        self, sequences: Sequences, targets: NDArray[np.int64], behaviours: tuple[str, ...]
    ) -> NDArray[np.int64]:
        """The targets of the task's behaviour."""
        if self.behaviour is None:
            return np.arange(len(targets))
        return np.flatnonzero(sequences.behaviours[targets] == behaviours.index(self.behaviour))

    def truth(self, sequences: Sequences, behaviours: tuple[str, ...]) -> Array:
        """The items."""
        return np.asarray(sequences.items)

    def constant_loss(self, training: Sequences, behaviours: tuple[str, ...]) -> float:
        """The entropy of the items' training shares, in nats.

        Raises:
            RecipeError: No training event is of the behaviour.
        """
        items = training.items
        if self.behaviour is not None:
            items = items[training.behaviours == behaviours.index(self.behaviour)]
        if len(items) == 0:
            raise RecipeError(
                f"next_item behaviour {self.behaviour!r}",
                "a training event of it that follows another",
                "none",
                "leave the task out, or split otherwise",
            )
        counts = np.bincount(items)
        return float(entr(counts / counts.sum()).sum())


class NextItem(Task):
    """Scores items by the product of their vector with the task's state.

    Where several tasks share a model each has a linear map of its own before the product, no change at first.
    """

    def __init__(self, config: Config, behaviour: int | None, dimensions: Dimensions, items: Items) -> None:
        super().__init__()
        self.behaviour = behaviour
        self.horizon = config.horizon
        self.temperature = config.temperature
        self.items = items
        self.some = items.some
        asked: ItemVectors = items
        if self.some is not None:
            asked = self.some
        self.vectors: ItemVectors = asked if config.temperature is None else UnitVectors(asked)
        self.criterion = config.loss.build(dimensions if self.some is None else _of(self.some, dimensions))
        mapped = len(dimensions.tasks) > 1 if config.own_map is None else config.own_map
        self.own = nn.Linear(dimensions.width, dimensions.width) if mapped else None
        if self.own is not None:
            nn.init.zeros_(self.own.weight)
            nn.init.zeros_(self.own.bias)

    def loss(self, states: Tensor, target: Target) -> Tensor | None:
        """The loss at the positions that have a target, and nowhere else."""
        assert isinstance(target, Following)
        items_BL, mask_BL = self._targets(target)
        if not mask_BL.any():
            return None
        targets_N = items_BL[mask_BL]
        if self.some is not None:  # an item that no event is of would only be pushed away
            targets_N = self.some.places(targets_N)
        loss: Tensor = self.criterion(self._project(states[mask_BL]), targets_N, self.vectors)
        return loss

    def score_items(self, state_BD: Tensor) -> Tensor:
        """Scores of all items."""
        products_BI = self._project(state_BD) @ self.items.weight_ID.T
        if self.temperature is None:
            return products_BI
        # Divided afterwards: a table of directions would be written for each request.
        lengths_I = torch.linalg.vector_norm(self.items.weight_ID, dim=-1).clamp(min=1e-12)
        cosines_BI: Tensor = products_BI / lengths_I
        return cosines_BI

    def queries(self, states: Tensor) -> Tensor:
        """What an item's vector is multiplied by for its score: [..., D] -> [..., D]."""
        return self._project(states)

    def _project(self, state: Tensor) -> Tensor:
        if self.own is not None:
            state = state + self.own(state)
        return state if self.temperature is None else functional.normalize(state, dim=-1) / self.temperature

    def _targets(self, following: Following) -> tuple[Tensor, Tensor]:
        items_BL, mask_BL = following.items_BL, following.mask_BL
        if self.behaviour is None:
            return items_BL, mask_BL
        fits_BL = mask_BL & (following.behaviours_BL == self.behaviour)
        if self.horizon == "next":
            return items_BL, fits_BL
        # Place of the first fitting event at or after each position: a running minimum from behind.
        length = items_BL.shape[1]
        places_BL = torch.where(fits_BL, torch.arange(length, device=items_BL.device), length)
        first_BL = places_BL.flip(1).cummin(1).values.flip(1)
        return items_BL.gather(1, first_BL.clamp(max=length - 1)), first_BL < length


def _of(some: SomeItems, dimensions: Dimensions) -> Dimensions:
    """The sizes of a loss that knows some of the items alone."""
    counts = dimensions.item_counts
    return replace(
        dimensions,
        num_items=len(some),
        item_counts=None if counts is None else counts[some.which_I.numpy()],
    )
