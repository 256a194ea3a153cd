"""Each loss divided by that of the best constant answer, then the weighted sum.

A next-item loss starts near log(items), a binary one below log 2: unscaled, the small one has no effect.
"""

from collections.abc import Mapping
from typing import Literal

from intertask.balance import Balance, BalanceConfig
from intertask.balance.equal import WeightedSum

SMALLEST = 0.05  # nats; a label that is nearly constant must not be multiplied without bound


class Config(BalanceConfig):
    """No options."""

    kind: Literal["entropy"] = "entropy"

    def build(self, weights: Mapping[str, float], constant_losses: Mapping[str, float]) -> Balance:
        """The balance; scaled so that the largest loss keeps its size."""
        return Scaled(weights, scales(constant_losses))


class Scaled(WeightedSum):
    """sum_k w_k s_k L_k / sum_k w_k."""

    def __init__(self, weights: Mapping[str, float], scales: Mapping[str, float]) -> None:
        super().__init__(weights)
        self.weights = {name: weight * scales[name] for name, weight in self.weights.items()}


def scales(constant_losses: Mapping[str, float]) -> dict[str, float]:
    """What each loss is multiplied by to be as large as the largest where the answer is a constant."""
    largest = max(SMALLEST, *constant_losses.values())
    return {name: largest / max(loss, SMALLEST) for name, loss in constant_losses.items()}
