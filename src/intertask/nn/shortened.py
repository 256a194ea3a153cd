"""Frames of recordings in fewer places: convolutions that step over every other one, as often as is said."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from intertask.nn.dropout import Dropout


class Shortened(nn.Module):
    """Convolutions over time, each with a norm; those that step halve the length, rounded up.

    What stands behind a row is zero before each of them, so that no row feels the length of another.

    Args:
        numbers: Of a frame.
        width: Of a vector.
        halvings: How often the length is halved; one convolution that does not step where never.
        kernel: Places that one sees.
        dropout: Share of the numbers that training drops after each.
    """

    def __init__(self, numbers: int, width: int, halvings: int, kernel: int, dropout: float) -> None:
        super().__init__()
        sizes = [numbers] + [width] * max(1, halvings)
        stride = 2 if halvings else 1
        self.layers = nn.ModuleList(
            nn.Conv1d(before, after, kernel, stride=stride, padding=kernel // 2)
            for before, after in pairwise(sizes)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in self.layers)
        self.stride = stride
        self.dropout = Dropout(dropout)

    def forward(self, frames_BLX: Tensor, lengths_B: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors of fewer places, [B, L', D], and how many are real."""
        hidden_BLD = _cleared(frames_BLX, lengths_B)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            hidden_BLD = layer(hidden_BLD.transpose(1, 2)).transpose(1, 2)
            lengths_B = -(-lengths_B // self.stride)
            hidden_BLD = _cleared(self.dropout(functional.gelu(norm(hidden_BLD))), lengths_B)
        return hidden_BLD, lengths_B


def shorter(lengths_B: Tensor, halvings: int) -> Tensor:
    """How many places are left of some lengths."""
    return -(-lengths_B // (1 << halvings))


def _cleared(hidden_BLD: Tensor, lengths_B: Tensor) -> Tensor:
    steps = torch.arange(hidden_BLD.shape[1], device=hidden_BLD.device)
    return hidden_BLD.masked_fill((steps >= lengths_B[:, None]).unsqueeze(-1), 0.0)


def stretched(frames_BLX: Tensor, lengths_B: Tensor, most: float) -> tuple[Tensor, Tensor]:
    """Frames of a batch, played slower or faster by one factor of up to 1 +- `most`, as torch draws it."""
    if not most:
        return frames_BLX, lengths_B
    factor = 1 + most * (2 * float(torch.rand(())) - 1)
    length = max(1, round(frames_BLX.shape[1] * factor))
    told = functional.interpolate(frames_BLX.transpose(1, 2), size=length, mode="linear").transpose(1, 2)
    return told, (lengths_B * factor).long().clamp(1, length)


def masked(
    frames_BLX: Tensor, lengths_B: Tensor, spans: int, longest: int, bands: int, widest: int
) -> Tensor:
    """Frames with spans of time and bands of numbers set to zero, which is the mean, at random places.

    Source: Park et al., "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition",
    Interspeech 2019; a span is at most a fifth of the recording.

    Args:
        frames_BLX: Whose mean is about zero.
        lengths_B: Real frames of each.
        spans: Spans of time of each recording.
        longest: Frames of a span at most.
        bands: Bands of each recording.
        widest: Numbers of a band at most.
    """
    count, length, numbers = frames_BLX.shape
    device = frames_BLX.device
    steps_L, places_X = torch.arange(length, device=device), torch.arange(numbers, device=device)
    hidden_BLX = torch.zeros(count, length, numbers, dtype=torch.bool, device=device)
    for _ in range(spans):
        width_B = torch.rand(count, device=device) * (lengths_B * 0.2).clamp(max=longest)
        start_B = torch.rand(count, device=device) * (lengths_B - width_B)
        hidden_BLX |= _between(steps_L, start_B, width_B).unsqueeze(2)
    for _ in range(bands):
        width_B = torch.rand(count, device=device) * min(widest, numbers // 2)
        start_B = torch.rand(count, device=device) * (numbers - width_B)
        hidden_BLX |= _between(places_X, start_B, width_B).unsqueeze(1)
    return frames_BLX.masked_fill(hidden_BLX, 0.0)


def _between(places: Tensor, start_B: Tensor, width_B: Tensor) -> Tensor:
    return (places >= start_B[:, None]) & (places < (start_B + width_B)[:, None])
