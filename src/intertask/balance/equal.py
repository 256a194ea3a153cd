"""The weighted sum of the losses as they are."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from intertask.balance import Balance, BalanceConfig


class Config(BalanceConfig):
    """No options."""

    kind: Literal["equal"] = "equal"

    def build(self, weights: Mapping[str, float], constant_losses: Mapping[str, float]) -> Balance:
        """The balance."""
        return WeightedSum(weights)


class WeightedSum(Balance):
    """sum_k w_k L_k / sum_k w_k, over all tasks, so that a missing one does not raise the others."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        total = sum(weights.values())
        self.weights = {name: weight / total for name, weight in weights.items()}

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The loss that is minimised."""
        return torch.stack([self.weights[name] * loss for name, loss in losses.items()]).sum()
