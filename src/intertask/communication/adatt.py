"""Adaptive task-to-task fusion: a gate over the experts of all tasks, and the own ones added on top.

Source: Li et al., "AdaTT: Adaptive Task-to-Task Fusion Network for Multitask Learning in
Recommendations", KDD 2023, its form without shared experts (AdaTT-sp), equations 3 to 6. In the equation
of the design: A a softmax over all experts, and a residual of the own ones.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.communication import Heard
from intertask.communication._experts import ExpertsConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.experts import gated, uniform


class Config(ExpertsConfig):
    """Options of the fusion.

    Args:
        num_levels: Levels, one on top of the other.
        num_own: Number of experts of each task.
    """

    kind: Literal["adatt"] = "adatt"
    num_levels: int = Field(default=1, ge=1, le=16)
    num_own: int = Field(default=1, ge=1, le=256)

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Communication(self, dimensions.width, len(dimensions.tasks))


class Communication(nn.Module):
    """Levels of fusion."""

    def __init__(self, config: Config, width: int, num_tasks: int) -> None:
        super().__init__()
        self.num_tasks = num_tasks
        self.levels = nn.ModuleList(Level(config, width, num_tasks) for _ in range(config.num_levels))

    further: tuple[str, ...] = ()

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        return self.exchange(hidden_BLD).states_BLTD

    def exchange(self, hidden_BLD: Tensor) -> Heard:
        """The states, and by which experts each task's last fusion went, the native ones not counted."""
        states_BLTD = hidden_BLD.unsqueeze(-2).expand(-1, -1, self.num_tasks, -1)
        for level in self.levels:
            states_BLTD, shares_BLTN = level(states_BLTD)
        shares_BLTT = shares_BLTN.reshape(*shares_BLTN.shape[:-1], self.num_tasks, -1).sum(-1)
        return Heard(states_BLTD, shares_BLTT, torch.ones_like(shares_BLTT[..., 0]))


class Level(nn.Module):
    """S'_k = sum_n softmax(W_k S_k)_n e_n + sum over own experts of v_k e_k."""

    def __init__(self, config: Config, width: int, num_tasks: int) -> None:
        super().__init__()
        self.experts = config.experts(num_tasks, config.num_own, width)
        self.gate = uniform(num_tasks, num_tasks, config.num_own, width, fan_in=width)
        self.own = nn.Parameter(torch.full((num_tasks, config.num_own), 1 / config.num_own))

    def forward(self, states_BLTD: Tensor) -> tuple[Tensor, Tensor]:
        """The states after this level, and the shares of all experts in them."""
        said_BLTED = self.experts(states_BLTD)
        logits_BLTN = torch.einsum("bltd,tned->bltne", states_BLTD, self.gate).flatten(-2)
        native_BLTD = torch.einsum("te,blted->bltd", self.own, said_BLTED)
        shares_BLTN = logits_BLTN.softmax(-1)
        fused_BLTD = native_BLTD + gated(shares_BLTN, said_BLTED.flatten(-3, -2))
        # What experts add to is in both sums, and is meant once.
        return fused_BLTD - states_BLTD if self.experts.residual else fused_BLTD, shares_BLTN
