"""Multi-gate mixture of experts: all experts are shared, each task has a gate of its own.

Source: Ma et al., "Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts",
KDD 2018, equations 5 to 7. In the equation of the design: shared experts, A = softmax(W_k x), rho = 0.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.communication._experts import ExpertsConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.experts import gated, uniform


class Config(ExpertsConfig):
    """Options of the mixture.

    Args:
        num_experts: Number of experts that all tasks share.
    """

    kind: Literal["mmoe"] = "mmoe"
    num_experts: int = Field(default=4, ge=1, le=1_024)

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Communication(self, dimensions.width, len(dimensions.tasks))


class Communication(nn.Module):
    """S_k = sum_n softmax(W_k hidden)_n f_n(hidden)."""

    def __init__(self, config: Config, width: int, num_tasks: int) -> None:
        super().__init__()
        self.experts = config.experts(1, config.num_experts, width)
        self.gate = uniform(num_tasks, config.num_experts, width, fan_in=width)

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        said_BLND = self.experts(hidden_BLD.unsqueeze(-2)).squeeze(-3)
        shares_BLKN = torch.einsum("bld,knd->blkn", hidden_BLD, self.gate).softmax(-1)
        return gated(shares_BLKN, said_BLND)
