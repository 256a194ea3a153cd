"""One direction from the gradients of all tasks, at the trunk's weights, by an aggregator of TorchJD.

The losses are scaled as `entropy` does; the heads get the gradient of their sum, the trunk a sum that the
aggregator weighs. It does so by the gradients at the trunk's weights, which costs a pass back through the
trunk for each task: at its output tasks whose targets stand at different positions never conflict.

Most aggregators give something like the mean of the rows: that is multiplied by their number, so that the
trunk gets a sum as the heads do, and a task pushes as far where another has no label in a batch. PCGrad gives
a sum already; Nash-MTL chooses a length of its own.
Source: Quinton and Rey, "Jacobian Descent for Multi-Objective Optimization", 2024, and the papers of the
aggregators, which torchjd.org names.
"""

import importlib
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field
from torch import Tensor

from intertask.balance import AtWeights, Balance, BalanceConfig, as_they_are, task_gradients
from intertask.balance.entropy import Scaled, scales
from intertask.errors import RecipeError

AS_GIVEN = ("pcgrad", "nash_mtl")  # a sum already, and a length of its own
CLASSES = {
    "upgrad": "UPGrad",
    "mgda": "MGDA",
    "pcgrad": "PCGrad",
    "cagrad": "CAGrad",
    "nash_mtl": "NashMTL",
    "aligned_mtl": "AlignedMTL",
    "imtl_g": "IMTLG",
    "dual_proj": "DualProj",
}


class Config(BalanceConfig):
    """Options of the aggregation.

    Args:
        method: The aggregator of TorchJD.
        conflict: How far CAGrad may turn from the mean, c in its paper; for `cagrad` only.
    """

    kind: Literal["aggregation"] = "aggregation"
    at_one_trunk: ClassVar[bool] = True
    method: Literal[
        "upgrad", "mgda", "pcgrad", "cagrad", "nash_mtl", "aligned_mtl", "imtl_g", "dual_proj"
    ] = "upgrad"
    conflict: float = Field(default=0.5, ge=0, le=100)

    def build(self, weights: Mapping[str, float], constant_losses: Mapping[str, float]) -> Balance:
        """The balance.

        Raises:
            RecipeError: TorchJD is not installed.
        """
        return Aggregation(weights, scales(constant_losses), self)


class Aggregation(Scaled):
    """The weighted sum for the heads, an aggregated gradient for the trunk."""

    def __init__(self, weights: Mapping[str, float], scales: Mapping[str, float], config: Config) -> None:
        super().__init__(weights, scales)
        self.config = config
        self.aggregators: dict[int, Any] = {}
        self._aggregator(len(weights))

    def backward(
        self, losses: Mapping[str, Tensor], trunk_BLD: Tensor, at_weights: AtWeights = as_they_are
    ) -> Tensor:
        """Gradients of the sum above the trunk, one direction below."""
        scaled = {name: self.weights[name] * loss for name, loss in losses.items()}
        gradients = task_gradients(scaled, trunk_BLD)
        gradients = gradients[gradients.norm(dim=1) > 0]  # a detached task has no say
        if len(gradients) < 2:
            direction = gradients.sum(0)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the solvers, about their own speed
                shares_T = self._aggregator(len(gradients)).weighting(at_weights(gradients))
            direction = shares_T @ gradients
            if self.config.method not in AS_GIVEN:
                direction = direction * len(gradients)
        trunk_BLD.grad = direction.view_as(trunk_BLD)
        return sum(scaled.values()).detach()  # type: ignore[union-attr]

    def _aggregator(self, num_tasks: int) -> Any:  # noqa: ANN401  (TorchJD is optional)
        if num_tasks not in self.aggregators:
            try:
                cls = getattr(importlib.import_module("torchjd.aggregation"), CLASSES[self.config.method])
                options: dict[str, dict[str, Any]] = {
                    "cagrad": {"c": self.config.conflict},
                    "nash_mtl": {"n_tasks": num_tasks},
                }
                self.aggregators[num_tasks] = cls(**options.get(self.config.method, {}))
            except ImportError:
                raise RecipeError(
                    "[balance] kind",
                    "TorchJD, which has the aggregators",
                    "none",
                    "install intertask[gradients]",
                ) from None
        aggregator = self.aggregators[num_tasks]
        if hasattr(aggregator, "reset"):
            aggregator.reset()  # what it remembers of earlier steps no checkpoint keeps
        return aggregator
