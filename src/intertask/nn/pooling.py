"""One state of a whole row, from those of its places."""

from typing import Literal

import torch
from torch import Tensor

from intertask.nn.layout import Layout

Pooling = Literal["mean", "first", "last"]


def pooled(states_BLD: Tensor, layout: Layout, pooling: Pooling) -> Tensor:
    """The mean over the real places of each row, or the first or the last of them, [B, D]."""
    if pooling == "first":
        return states_BLD[:, 0]
    if layout.lengths_B is None:
        return states_BLD.mean(1) if pooling == "mean" else states_BLD[:, -1]
    if pooling == "last":
        return states_BLD[torch.arange(len(states_BLD), device=states_BLD.device), layout.lengths_B - 1]
    steps = torch.arange(states_BLD.shape[1], device=states_BLD.device)
    real_BL1 = (steps < layout.lengths_B[:, None]).unsqueeze(-1)
    return states_BLD.masked_fill(~real_BL1, 0.0).sum(1) / layout.lengths_B[:, None]
