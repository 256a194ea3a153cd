"""Experts, small perceptrons side by side, and gates that mix what they say."""

import torch
from torch import Tensor, nn


class Experts(nn.Module):
    """Groups of two-layer perceptrons with ReLU; the experts of one group read one input.

    Args:
        num_groups: Groups, G.
        num_experts: In each group, E.
        width: Of input and output, D.
        inner: Of the hidden layer.
        residual: Whether an expert adds to what it reads.

    Shapes: forward: hidden [..., G, D] -> [..., G, E, D]; `first`: hidden [..., D] -> [..., G, D].
    """

    def __init__(
        self, num_groups: int, num_experts: int, width: int, inner: int, *, residual: bool = False
    ) -> None:
        super().__init__()
        self.residual = residual
        self.num_groups = num_groups
        self.num_experts = num_experts
        self.up = uniform(num_groups, width, num_experts * inner, fan_in=width)
        self.up_bias = uniform(num_groups, num_experts * inner, fan_in=width)
        self.down = uniform(num_groups, num_experts, inner, width, fan_in=inner)
        self.down_bias = uniform(num_groups, num_experts, width, fan_in=inner)

    def forward(self, hidden: Tensor) -> Tensor:
        """What each expert says."""
        inner = torch.einsum("...gd,gdm->...gm", hidden, self.up) + self.up_bias
        inner = inner.relu().view(*inner.shape[:-1], self.num_experts, -1)
        said = torch.einsum("...gei,geid->...ged", inner, self.down) + self.down_bias
        return said + hidden.unsqueeze(-2) if self.residual else said

    def first(self, hidden: Tensor) -> Tensor:
        """What the first expert of each group says, where all groups read the same vector."""
        said: Tensor = self(hidden.unsqueeze(-2).expand(*hidden.shape[:-1], self.num_groups, -1))
        return said[..., 0, :]


def uniform(*shape: int, fan_in: int) -> nn.Parameter:
    """A weight as `nn.Linear` begins: uniform within 1 / sqrt(fan_in)."""
    bound = fan_in**-0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


def gated(shares: Tensor, said: Tensor) -> Tensor:
    """What sources say, by their shares: [..., K, N] and [..., N, D] or [..., K, N, D] -> [..., K, D]."""
    if said.ndim == shares.ndim:
        return torch.einsum("...kn,...nd->...kd", shares, said)
    return torch.einsum("...kn,...knd->...kd", shares, said)
