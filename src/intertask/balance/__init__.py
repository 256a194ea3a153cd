"""Balance: several losses to one update. One file a method."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.options.config import PluginConfig

# From the gradients of tasks at the trunk's output, [T, N], to those at the trunk's weights, [T, W].
AtWeights = Callable[[Tensor], Tensor]


def as_they_are(gradients: Tensor) -> Tensor:
    """The gradients of a trunk without weights."""
    return gradients


class BalanceConfig(PluginConfig):
    """The config of a balance.

    Args:
        labels: Multiply each task's weight by its number of labels, relative to the task with most labels of
            its log, to this power. 0: every task counts the same, so that a task with few labels can harm
            others; 1: every label counts the same.

    Attributes:
        at_one_trunk: Whether it looks at gradients where all tasks push on the same batch.
        in_nats: Whether it wants losses that are no likelihood, as squared errors, turned into one.
    """

    labels: float = Field(default=0.0, ge=0, le=1)

    at_one_trunk: ClassVar[bool] = False
    in_nats: ClassVar[bool] = False

    @abstractmethod
    def build(self, weights: Mapping[str, float], constant_losses: Mapping[str, float]) -> "Balance":
        """The balance.

        Args:
            weights: The weight of each task.
            constant_losses: What each task loses by an answer that ignores its inputs.
        """


class Balance(nn.Module, ABC):
    """Puts gradients into every weight above the trunk, and into the trunk's output.

    Attributes:
        looks_again: Whether it wants the losses of the same batch after the update too.
        optimiser: Of what it learns itself; None where that is nothing.
    """

    looks_again: ClassVar[bool] = False
    optimiser: torch.optim.Optimizer | None = None

    @abstractmethod
    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of the losses of a step; tasks that have no target in it are not named."""

    def backward(
        self, losses: Mapping[str, Tensor], trunk_BLD: Tensor, at_weights: AtWeights = as_they_are
    ) -> Tensor:
        """Gradients of the losses, down to the output of the trunk.

        Args:
            losses: Of the tasks, computed from `trunk_BLD`.
            trunk_BLD: The encoder's output, a leaf; its gradient is what the encoder is passed backward.
            at_weights: Passes gradients on to the trunk's weights, one pass for each task, for a balance
                that has to see where tasks conflict.

        Returns:
            The weighted sum.
        """
        total: Tensor = self(losses)
        torch.autograd.backward(total)
        return total.detach()

    def after_step(self, losses: Mapping[str, Tensor]) -> None:
        """Called with the losses of the same batch after the update, where `looks_again`."""

    def after_epoch(self) -> None:
        """Called at the end of each epoch."""

    def state(self) -> dict[str, Tensor]:
        """All that it needs to go on, by name."""
        moments = {} if self.optimiser is None else self.optimiser.state_dict()["state"]
        return self.state_dict() | {
            f"{place}/{key}": torch.as_tensor(value)
            for place, values in moments.items()
            for key, value in values.items()
        }

    def set_state(self, state: Mapping[str, Tensor]) -> None:
        """Put in what `state` gave."""
        self.load_state_dict({key: value for key, value in state.items() if "/" not in key})
        if self.optimiser is not None:
            moments: dict[int, dict[str, Tensor]] = {}
            for name, value in state.items():
                place, _, key = name.partition("/")
                if key:
                    moments.setdefault(int(place), {})[key] = value
            self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": moments})


def task_gradients(losses: Mapping[str, Tensor], trunk_BLD: Tensor) -> Tensor:
    """The gradient of each loss at the trunk's output, one row a task; weights above it get their sum.

    The graph is kept: tasks share what lies between the trunk and their heads.
    """
    rows: list[Tensor] = []
    for loss in losses.values():
        trunk_BLD.grad = None
        torch.autograd.backward(loss, retain_graph=True)
        own = torch.zeros_like(trunk_BLD) if trunk_BLD.grad is None else trunk_BLD.grad  # a detached task's
        rows.append(own.flatten())
    trunk_BLD.grad = None
    return torch.stack(rows)
