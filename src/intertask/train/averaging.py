"""An exponential moving average of the weights, which is what is validated and kept.

Source: Polyak averaging as Izmailov et al. (2018) and TensorFlow's moving averages take it: the decay
rises with the steps, so that the first, random weights are soon forgotten.
"""

import math
from collections.abc import Container, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from intertask.nn.item_table import sparse_tables
from intertask.train import checkpoint


class Average:
    """The average of a model's weights over the steps of a run.

    A row of a table with sparse gradients stands still between two steps that read it, so its average
    moves towards it by a known factor: the rows that a step is about to change are brought up to date
    before it, the others when the average is asked for. A step costs the same in a table of any size.

    Args:
        model: Whose weights are averaged.
        decay: What is left of the old average at each step, above 0 and below 1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = model
        self.decay = decay
        self._average = {name: weight.clone() for name, weight in checkpoint.weights(model).items()}
        self._buffers = checkpoint.buffer_names(model)
        tables = {id(weight) for weight in sparse_tables(model)}
        self._tables = {name: weight for name, weight in model.named_parameters() if id(weight) in tables}
        # Logarithms of what the decays of all steps left together: until now, and until a row's last update.
        self._left = 0.0
        self._left_of = {
            name: torch.zeros(len(weight), dtype=torch.float64, device=weight.device)
            for name, weight in self._tables.items()
        }

    @property
    def weights(self) -> dict[str, Tensor]:
        """The averages by name, of all rows until now."""
        for name, weight in self.model.named_parameters():
            if not weight.requires_grad:  # frozen, or a switch: there is nothing between on and off
                self._average[name].copy_(weight)
        for name, weight in self._tables.items():
            self._catch_up(name, torch.arange(len(weight), device=weight.device))
            self._left_of[name].zero_()
        self._left = 0.0
        return self._average

    @weights.setter
    def weights(self, average: dict[str, Tensor]) -> None:
        self._average = average
        self._left = 0.0
        for left in self._left_of.values():
            left.zero_()

    def before(self) -> None:
        """Take in the rows that a step is about to change; their gradients are coalesced."""
        for name, weight in self._tables.items():
            if weight.grad is not None:
                self._catch_up(name, weight.grad.indices()[0])

    def update(self, step: int, idle: Container[str] = ()) -> None:
        """Take in the weights after a step, counted from 0.

        Args:
            step: Its number.
            idle: Names of weights that had no part in it, all tables with sparse gradients or none: their
                average stays as it is.
        """
        decay = min(self.decay, (1 + step) / (10 + step))
        if not all(name in idle for name in self._tables):
            self._left += math.log(decay)
        for name, newest in self.model.named_parameters():
            if newest.requires_grad and name not in self._tables and name not in idle:
                self._average[name].lerp_(newest.detach(), 1 - decay)
        for name in self._buffers:
            self._take_in(name, self.model.get_buffer(name), 1 - decay)

    @contextmanager
    def shown(self) -> Iterator[dict[str, Tensor]]:
        """The model has the averaged weights inside of the block, and its own again after it."""
        average = self.weights
        own = {name: weight.clone() for name, weight in checkpoint.weights(self.model).items()}
        checkpoint.set_weights(self.model, average)
        try:
            yield average
        finally:
            checkpoint.set_weights(self.model, own)

    def _take_in(self, name: str, newest: Tensor, share: float) -> None:
        """Running means are averaged as the weights that made them are; counters and masks are copied."""
        average = self._average[name]
        if newest.is_floating_point():
            between = average.lerp(newest, share)
            newest = between.where(between.isfinite(), newest)  # a mask holds infinities
        average.copy_(newest)

    def _catch_up(self, name: str, rows: Tensor) -> None:
        average, weight, left = self._average[name], self._tables[name].detach(), self._left_of[name]
        decay = (self._left - left[rows]).exp().to(weight.dtype)[:, None]
        average[rows] = torch.lerp(weight[rows], average[rows], decay)
        left[rows] = self._left
