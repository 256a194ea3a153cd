"""An exponential moving average of the weights, which is what is validated and kept.

Source: Polyak averaging as Izmailov et al. (2018) and TensorFlow's moving averages take it: the decay
rises with the steps, so that the first, random weights are soon forgotten.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from intertask.train import checkpoint


class Average:
    """The average of a model's weights over the steps of a run.

    Args:
        model: Whose weights are averaged.
        decay: What is left of the old average at each step, 0 to 1; 0 is the newest weights.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = model
        self.decay = decay
        self.weights = {name: weight.clone() for name, weight in checkpoint.weights(model).items()}

    def update(self, step: int) -> None:
        """Take in the weights after a step, counted from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        newest = checkpoint.weights(self.model)
        for name, weight in self.weights.items():
            weight.lerp_(newest[name], 1 - decay)

    @contextmanager
    def shown(self) -> Iterator[dict[str, Tensor]]:
        """The model has the averaged weights inside of the block, and its own again after it."""
        own = {name: weight.clone() for name, weight in checkpoint.weights(self.model).items()}
        checkpoint.set_weights(self.model, self.weights)
        try:
            yield self.weights
        finally:
            checkpoint.set_weights(self.model, own)
