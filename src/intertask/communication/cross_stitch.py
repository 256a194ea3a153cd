"""Cross-stitch: the states of the tasks are mixed by constant, learned shares that begin near identity.

Source: Misra et al., "Cross-stitch Networks for Multi-task Learning", CVPR 2016. In the equation of the
design: A constant, learned. One stitch for all channels of a state, as there.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.communication import Heard
from intertask.communication._experts import ExpertsConfig
from intertask.nn.dimensions import Dimensions


class Config(ExpertsConfig):
    """Options of cross-stitch.

    Args:
        own: Share of its own state with which a task begins; the rest is split among the others.
    """

    kind: Literal["cross_stitch"] = "cross_stitch"
    own: float = Field(default=0.9, gt=0, le=1)

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Communication(self, dimensions.width, len(dimensions.tasks))


class Communication(nn.Module):
    """S'_k = sum_n A[k, n] f_n(hidden)."""

    def __init__(self, config: Config, width: int, num_tasks: int) -> None:
        super().__init__()
        own = config.own
        self.experts = config.experts(num_tasks, 1, width)
        stitch = torch.full((num_tasks, num_tasks), (1 - own) / max(1, num_tasks - 1))
        self.stitch = nn.Parameter(stitch.fill_diagonal_(own if num_tasks > 1 else 1.0))

    further: tuple[str, ...] = ()

    def exchange(self, hidden_BLD: Tensor) -> Heard:
        """The states, and how large each task's shares are, which are constant and may be negative."""
        states_BLTD = self(hidden_BLD)
        sizes_TT = self.stitch.abs() / self.stitch.abs().sum(-1, keepdim=True).clamp(min=1e-12)
        shares_BLTT = sizes_TT.expand(*states_BLTD.shape[:2], -1, -1)
        return Heard(states_BLTD, shares_BLTT, torch.ones_like(shares_BLTT[..., 0]))

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        return torch.einsum("kn,blnd->blkd", self.stitch, self.experts.first(hidden_BLD))
