"""Convolutions that are drawn once and never learn, of several lengths and dilations."""

import torch
from torch import Tensor, nn
from torch.nn import functional

SIZES = (7, 9, 11)


class RandomKernels(nn.Module):
    """What many random kernels find in a series, as one vector: the mean of what is above zero of each.

    It tells how much a series holds of a shape; a linear head learns which shapes count.

    Source: Dempster, Petitjean and Webb, "ROCKET: exceptionally fast and accurate time series classification
    using random convolutional kernels", 2020, section 3.1. Here dilations are powers of two, all kernels are
    padded, and the mean of the positive part stands in place of its share and of the maximum.

    Args:
        numbers: Of a place.
        width: Kernels.
        length: Places of a series.
    """

    def __init__(self, numbers: int, width: int, length: int) -> None:
        super().__init__()
        spans = [
            (size, 1 << power)
            for power in range(length.bit_length())
            for size in SIZES
            if power == 0 or (size - 1) << power < length
        ]
        self.layers = nn.ModuleList()
        for place, (size, dilation) in enumerate(spans):
            count = width * (place + 1) // len(spans) - width * place // len(spans)
            if not count:
                continue
            layer = nn.Conv1d(
                numbers, count, size, dilation=dilation, padding=dilation * (size - 1) // 2
            ).requires_grad_(False)
            assert layer.bias is not None
            nn.init.normal_(layer.weight, std=numbers**-0.5)
            layer.weight -= layer.weight.mean(2, keepdim=True)
            nn.init.uniform_(layer.bias, -1, 1)
            self.layers.append(layer)

    def forward(self, values_BLX: Tensor) -> Tensor:
        """Of each series, [B, D]."""
        values_BXL = values_BLX.transpose(1, 2)
        return torch.cat([functional.relu(layer(values_BXL)).mean(2) for layer in self.layers], dim=1)
