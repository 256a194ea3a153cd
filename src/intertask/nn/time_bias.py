"""A learned attention bias for how long ago an event was."""

import torch
from torch import Tensor, nn

from intertask.nn.layout import Layout
from intertask.nn.time_buckets import log_bucket

NUM_BUCKETS = 32  # 2^31 seconds are 68 years


class TimeBias(nn.Module):
    """One number for each head and log bucket of the gap between asking and having happened.

    Args:
        num_heads: Heads of the attention.
        query_time: Measure the gap from the moment that is asked about (the next event's) rather than
            from the position's own event. The two are different tracks: the first must be told when
            the target happens.

    Shapes:
        layout of [B, L] -> bias_BHLL, for query position x key position.
    """

    def __init__(self, num_heads: int, *, query_time: bool) -> None:
        super().__init__()
        self.query_time = query_time
        self.bias = nn.Embedding(NUM_BUCKETS, num_heads)
        nn.init.zeros_(self.bias.weight)

    def forward(self, layout: Layout) -> Tensor:
        """The bias, zero-initialised: without training it changes nothing."""
        times_BL = layout.times_BL
        asked_BL = layout.query_times_BL if self.query_time else times_BL
        assert times_BL is not None and asked_BL is not None
        gap_BLL = asked_BL[:, :, None] - times_BL[:, None, :]
        bias_BLLH = torch.nn.functional.embedding(log_bucket(gap_BLL, NUM_BUCKETS), self.bias.weight)
        return bias_BLLH.permute(0, 3, 1, 2)
