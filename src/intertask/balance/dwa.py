"""Dynamic weight average: a task whose loss falls slowly weighs more.

Source: Liu, Johns and Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019, equation 7.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from intertask.balance import AtWeights, Balance, BalanceConfig, as_they_are


class Config(BalanceConfig):
    """Options of the average.

    Args:
        temperature: A higher one makes the weights more alike.
    """

    kind: Literal["dwa"] = "dwa"
    temperature: float = Field(default=2.0, ge=1e-3, le=1e6)

    def build(self, weights: Mapping[str, float], constant_losses: Mapping[str, float]) -> Balance:
        """The balance."""
        return DynamicWeightAverage(weights, self.temperature)


class DynamicWeightAverage(Balance):
    """K softmax_k(r_k / T) w_k, where r_k is the last epoch's mean loss over that of the epoch before."""

    factors_T: Tensor
    sums_T: Tensor
    counts_T: Tensor
    before_T: Tensor

    def __init__(self, weights: Mapping[str, float], temperature: float) -> None:
        super().__init__()
        total = sum(weights.values())
        self.weights = {name: weight / total for name, weight in weights.items()}
        self.places = {name: place for place, name in enumerate(weights)}
        self.temperature = temperature
        self.register_buffer("factors_T", torch.ones(len(weights)))
        self.register_buffer("sums_T", torch.zeros(len(weights), dtype=torch.float64))
        self.register_buffer("counts_T", torch.zeros(len(weights), dtype=torch.float64))
        self.register_buffer("before_T", torch.full((len(weights),), torch.nan, dtype=torch.float64))

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum."""
        return torch.stack(
            [self.weights[name] * self.factors_T[self.places[name]] * loss for name, loss in losses.items()]
        ).sum()

    def backward(
        self, losses: Mapping[str, Tensor], trunk_BLD: Tensor, at_weights: AtWeights = as_they_are
    ) -> Tensor:
        """As for any balance; the losses are remembered."""
        for name, loss in losses.items():
            self.sums_T[self.places[name]] += loss.detach()
            self.counts_T[self.places[name]] += 1
        return super().backward(losses, trunk_BLD, at_weights)

    def after_epoch(self) -> None:
        """New factors, from the third epoch on; a task that an epoch did not show falls as any."""
        mean_T = self.sums_T / self.counts_T
        ratio_T = (mean_T / self.before_T).nan_to_num(1.0, posinf=1.0)
        shares_T = (ratio_T / self.temperature).softmax(0)
        self.factors_T.copy_(len(ratio_T) * shares_T)
        self.before_T.copy_(torch.where(mean_T.isnan(), self.before_T, mean_T))
        self.sums_T.zero_()
        self.counts_T.zero_()
