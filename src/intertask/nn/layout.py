"""Where the places of a sequence stand: how many there are, when they happened, and which may see which."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Span:
    """Where one of several inputs stands in each row.

    Args:
        starts_B: int64, its first place.
        lengths_B: int64, its real places of each row.
        length: Of its longest row.
    """

    starts_B: Tensor
    lengths_B: Tensor
    length: int

    def of(self, states_BLD: Tensor) -> Tensor:
        """The states of its places; behind its length a row holds what nobody may read."""
        steps = torch.arange(self.length, device=states_BLD.device)
        places_BN = (self.starts_B[:, None] + steps).clamp(max=states_BLD.shape[1] - 1)
        return states_BLD.gather(1, places_BN[..., None].expand(-1, -1, states_BLD.shape[-1]))


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
        spans: Where each of several inputs stands, in their order; empty where there is one.
    """

    times_BL: Tensor | None = None
    query_times_BL: Tensor | None = None
    lengths_B: Tensor | None = None
    causal: bool = True
    spans: tuple[Span, ...] = ()

    def real_places_B(self, states_BLD: Tensor) -> Tensor:  # noqa: N802
        """Real places of each row, int64, padded or not."""
        if self.lengths_B is not None:
            return self.lengths_B
        rows, length = states_BLD.shape[:2]
        return torch.full((rows,), length, device=states_BLD.device)

    def padding_BL(self, length: int) -> Tensor | None:  # noqa: N802
        """Which places of rows of a length hold nothing; None where each holds something."""
        if self.lengths_B is None or bool((self.lengths_B == length).all()):
            return None
        return torch.arange(length, device=self.lengths_B.device) >= self.lengths_B[:, None]
