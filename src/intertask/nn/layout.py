"""Where the places of a sequence stand: how many there are, when they happened, and which may see which."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """What an encoder knows of a sequence beside its vectors.

    Padding stands behind the real places. An encoder that looks at the past alone never sees it, and needs
    no lengths.

    Args:
        times_BL: int64 seconds of every place; None without a clock.
        query_times_BL: int64 seconds of the question asked there; None without a clock.
        lengths_B: int64, real places of each row; None where no row is padded.
        causal: Whether each place is asked what follows it, so that it may not see it.
    """

    times_BL: Tensor | None = None
    query_times_BL: Tensor | None = None
    lengths_B: Tensor | None = None
    causal: bool = True

    def padding_BL(self, length: int) -> Tensor | None:  # noqa: N802
        """Which places of rows of a length hold nothing; None where each holds something."""
        if self.lengths_B is None or bool((self.lengths_B == length).all()):
            return None
        return torch.arange(length, device=self.lengths_B.device) >= self.lengths_B[:, None]
