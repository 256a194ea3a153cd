"""Where a place stands, as waves of many lengths: for sequences that have no longest length."""

import torch
from torch import Tensor


def waves(length: int, width: int, device: torch.device) -> Tensor:
    """Sines and cosines of each place, [L, D].

    Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.5.
    """
    half = -(-width // 2)
    rates = 10_000.0 ** (-torch.arange(half, device=device) / half)
    angles = torch.arange(length, device=device)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :width]
