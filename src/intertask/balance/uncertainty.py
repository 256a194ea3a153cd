"""Each loss divided by its task's noise, which is learnt beside the model.

Source: Kendall, Gal and Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry
and Semantics", CVPR 2018, equation 10, in the form of log variances.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.balance import AtWeights, Balance, BalanceConfig, as_they_are


class Config(BalanceConfig):
    """Options of the learnt noise.

    Args:
        learning_rate: Learning rate of the log variances, by Adam.
    """

    kind: Literal["uncertainty"] = "uncertainty"
    learning_rate: float = Field(default=0.025, gt=0, le=10)

    def build(self, weights: Mapping[str, float], constant_losses: Mapping[str, float]) -> Balance:
        """The balance."""
        return Uncertainty(weights, self.learning_rate)


class Uncertainty(Balance):
    """sum_k w_k (exp(-s_k) L_k + s_k / 2) / sum_k w_k, with s_k = 0 at first."""

    def __init__(self, weights: Mapping[str, float], learning_rate: float) -> None:
        super().__init__()
        total = sum(weights.values())
        self.weights = {name: weight / total for name, weight in weights.items()}
        self.places = {name: place for place, name in enumerate(weights)}
        self.log_variances = nn.Parameter(torch.zeros(len(weights)))
        self.optimiser = torch.optim.Adam([self.log_variances], lr=learning_rate)

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum."""
        terms = []
        for name, loss in losses.items():
            log_variance = self.log_variances[self.places[name]]
            terms.append(self.weights[name] * (torch.exp(-log_variance) * loss + log_variance / 2))
        return torch.stack(terms).sum()

    def backward(
        self, losses: Mapping[str, Tensor], trunk_BLD: Tensor, at_weights: AtWeights = as_they_are
    ) -> Tensor:
        """As for any balance, and a step of the log variances."""
        assert self.optimiser is not None
        self.optimiser.zero_grad()
        total = super().backward(losses, trunk_BLD, at_weights)
        self.optimiser.step()
        return total
