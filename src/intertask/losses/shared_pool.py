"""Softmax cross-entropy against a pool of negatives that the whole batch shares, with its correction.

Source: sampled softmax (Bengio and Senecal, 2008) and the logQ correction (Yi et al., 2019). Departure:
the positive is not drawn, so it takes no correction; what remains is an unbiased estimate of the full
partition function, e^s_target + sum over the pool of e^s_j / (K q_j).
"""

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.losses import LossConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import ItemVectors


class Config(LossConfig):
    """Options of the loss.

    Args:
        num_negatives: Number of negatives that the positions of a batch share.
        popularity: Negatives are drawn in proportion to (events + 1) ** popularity; 0 is uniform.
    """

    kind: Literal["shared_pool"] = "shared_pool"
    reads_all_items: ClassVar[bool] = False
    num_negatives: int = Field(default=1024, ge=1, le=1_000_000)
    popularity: float = Field(default=0.5, ge=0, le=1)

    def numbers_per_position(self, width: int) -> int:
        """The scores of the pool, three times over."""
        return 3 * self.num_negatives

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The loss."""
        return Loss(self, dimensions)


class Loss(nn.Module):
    """Mean over positions of log(e^s_target + sum_j e^(s_j - log(K q_j))) - s_target."""

    cumulated_I: Tensor
    log_expected_I: Tensor

    def __init__(self, config: Config, dimensions: Dimensions) -> None:
        super().__init__()
        self.num_negatives = config.num_negatives
        counts = torch.zeros(dimensions.num_items, dtype=torch.float64)
        if dimensions.item_counts is not None:
            counts += torch.from_numpy(dimensions.item_counts)
        weights = (counts + 1) ** config.popularity
        share = weights / weights.sum()
        self.register_buffer("cumulated_I", share.cumsum(0), persistent=False)
        self.register_buffer(
            "log_expected_I", (share.log() + math.log(config.num_negatives)).float(), persistent=False
        )

    def forward(self, hidden_ND: Tensor, targets_N: Tensor, vectors: ItemVectors) -> Tensor:
        """The mean loss."""
        # Inverse of the distribution function: torch.multinomial stops at 2^24 items and is slower.
        drawn = torch.rand(self.num_negatives, dtype=torch.float64, device=hidden_ND.device)
        pool_K = torch.searchsorted(self.cumulated_I, drawn).clamp(max=len(vectors) - 1)
        # One lookup: each writes a gradient of the size of the table.
        pool_KD, target_ND = vectors(torch.cat([pool_K, targets_N])).tensor_split([self.num_negatives])
        negative_NK = hidden_ND @ pool_KD.T - self.log_expected_I[pool_K]
        negative_NK = negative_NK.masked_fill(targets_N[:, None] == pool_K, float("-inf"))
        positive_N = (hidden_ND * target_ND).sum(-1)
        logits = torch.cat([positive_N[:, None], negative_NK], dim=1)
        return (logits.logsumexp(1) - positive_N).mean()
