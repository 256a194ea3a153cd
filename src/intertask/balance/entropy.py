"""Each loss in units of what an answer loses that ignores its inputs, then the weighted sum.

A next-item loss starts near log(items), a binary one below log 2: unscaled, the small one is not heard.
"""

from collections.abc import Mapping
from typing import Literal

from torch import nn

from intertask.balance import BalanceConfig
from intertask.balance.equal import WeightedSum

SMALLEST = 0.05  # nats; a label that is nearly constant must not be multiplied without bound


class Config(BalanceConfig):
    """No options."""

    kind: Literal["entropy"] = "entropy"

    def build(self, weights: Mapping[str, float], constant_losses: Mapping[str, float]) -> nn.Module:
        """The balance; scaled so that the largest loss keeps its size."""
        largest = max(SMALLEST, *constant_losses.values())
        scales = {name: largest / max(loss, SMALLEST) for name, loss in constant_losses.items()}
        return Scaled(weights, scales)


class Scaled(WeightedSum):
    """sum_k w_k s_k L_k / sum_k w_k."""

    def __init__(self, weights: Mapping[str, float], scales: Mapping[str, float]) -> None:
        super().__init__(weights)
        self.weights = {name: weight * scales[name] for name, weight in self.weights.items()}
