"""Tokens of texts as batches take them: flat, and padded where a model reads them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Tokens:
    """Tokens of many texts, one behind the other.

    Args:
        codes_N: int64.
        begins_N: bool, which tokens have a place in the sequence of the input.
        lengths_B: int64, tokens of each text, one at least.
        cases_N: int64, how the word of a token is written; None where it is not read.
        letters_NL: int64, its first letters; None where they are not read.
    """

    codes_N: Tensor
    begins_N: Tensor
    lengths_B: Tensor
    cases_N: Tensor | None = None
    letters_NL: Tensor | None = None

    def take(self, rows: NDArray[np.int64]) -> Self:
        """Some of the texts."""
        starts = self.lengths_B.cumsum(0) - self.lengths_B
        places = torch.from_numpy(rows)
        lengths_B = self.lengths_B[places]
        first_B = lengths_B.cumsum(0) - lengths_B
        shift_B = starts[places] - first_B
        kept_N = torch.arange(int(lengths_B.sum())) + shift_B.repeat_interleave(lengths_B)
        return type(self)(
            self.codes_N[kept_N],
            self.begins_N[kept_N],
            lengths_B,
            None if self.cases_N is None else self.cases_N[kept_N],
            None if self.letters_NL is None else self.letters_NL[kept_N],
        )

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        return type(self)(
            self.codes_N.to(device),
            self.begins_N.to(device),
            self.lengths_B.to(device),
            None if self.cases_N is None else self.cases_N.to(device),
            None if self.letters_NL is None else self.letters_NL.to(device),
        )

    @property
    def real_BL(self) -> Tensor:  # noqa: N802
        """Which places of a padded batch hold a token."""
        steps = torch.arange(int(self.lengths_B.max()), device=self.lengths_B.device)
        return steps < self.lengths_B[:, None]


def padded(values_N: Tensor, real_BL: Tensor, filler: int = 0) -> Tensor:
    """Values of a flat batch at their places, [B, L, ...]."""
    shape = (*real_BL.shape, *values_N.shape[1:])
    return values_N.new_full(shape, filler).masked_scatter(_like(real_BL, values_N), values_N)


def _like(real_BL: Tensor, values_N: Tensor) -> Tensor:
    return real_BL.view(*real_BL.shape, *[1] * (values_N.ndim - 1)).expand(
        *real_BL.shape, *values_N.shape[1:]
    )
