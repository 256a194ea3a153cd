"""Time gaps as numbers of buckets."""

import torch
from torch import Tensor


def log_bucket(seconds: Tensor, num_buckets: int) -> Tensor:
    """The bucket of a time gap: one for every doubling, 0 for a second or less.

    Source: the time buckets of HSTU (Zhai et al., 2024, appendix); they use base e^0.301, we use 2.
    """
    # A clock that runs backwards between users' devices must not index below zero.
    return torch.log2(seconds.clamp(min=1).float()).long().clamp(max=num_buckets - 1)
