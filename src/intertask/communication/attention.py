"""Task attention: each task has a state of its own and reads those of the others at the same position.

In the equation of the design: f is a linear layer for each task, A a softmax of query and key over the
tasks, rho = 1.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.communication import CommunicationConfig, Heard
from intertask.nn.dimensions import Dimensions
from intertask.nn.dropout import Dropout


class Config(CommunicationConfig):
    """Options of task attention.

    Args:
        num_heads: Number of heads; must divide the width.
        dropout: Share of what is read from other tasks that training drops.
    """

    kind: Literal["attention"] = "attention"
    num_heads: int = Field(default=2, ge=1, le=256)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Communication(dimensions.width, len(dimensions.tasks), self)


class Communication(nn.Module):
    """S'_k = S_k + W_o sum_n softmax(q_k . k_n) v_n, with S_k = hidden + W_k hidden."""

    def __init__(self, width: int, num_tasks: int, config: Config) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        # One private map a task; started small so that all tasks begin near the shared state.
        self.private = nn.Parameter(torch.randn(num_tasks, width, width) * 0.1 / width**0.5)
        self.norm = nn.LayerNorm(width)
        self.project_in = nn.Linear(width, 3 * width)
        self.project_out = nn.Linear(width, width)
        self.dropout = Dropout(config.dropout)

    further: tuple[str, ...] = ()

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        return self.exchange(hidden_BLD).states_BLTD

    def exchange(self, hidden_BLD: Tensor) -> Heard:
        """The states, and whom each task attended to, mean over the heads."""
        states_BLTD = hidden_BLD.unsqueeze(-2) + torch.einsum("bld,tde->blte", hidden_BLD, self.private)
        batch, length, tasks, width = states_BLTD.shape
        heads = self.project_in(self.norm(states_BLTD)).view(batch, length, tasks, 3, self.num_heads, -1)
        query, key, value = heads.permute(3, 0, 1, 4, 2, 5)  # each [B, L, H, T, D / H]
        shares_BLHTT = (query @ key.transpose(-1, -2) / key.shape[-1] ** 0.5).softmax(-1)
        read_BLTD = (shares_BLHTT @ value).transpose(-2, -3).reshape(batch, length, tasks, width)
        change_BLTD: Tensor = self.dropout(self.project_out(read_BLTD))
        shares_BLTT = shares_BLHTT.mean(-3)
        return Heard(states_BLTD + change_BLTD, shares_BLTT, torch.ones_like(shares_BLTT[..., 0]))
