"""When the events of a batch happened, for encoders that look at the clock."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Timeline:
    """Seconds of every position, and of the question asked there; None without a clock.

    Shapes: times_BL, query_times_BL int64.
    """

    times_BL: Tensor | None
    query_times_BL: Tensor | None


def log_bucket(seconds: Tensor, num_buckets: int) -> Tensor:
    """The bucket of a time gap: one for every doubling, 0 for a second or less.

    Source: the time buckets of HSTU (Zhai et al., 2024, appendix); they use base e^0.301, we use 2.
    """
    # A clock that runs backwards between users' devices must not index below zero.
    return torch.log2(seconds.clamp(min=1).float()).long().clamp(max=num_buckets - 1)
