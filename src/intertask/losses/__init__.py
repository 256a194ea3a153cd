"""Losses over the catalogue: how wrong a hidden state is about one item among all. One file a loss."""

from abc import abstractmethod
from typing import ClassVar

from torch import nn

from intertask.nn.dimensions import Dimensions
from intertask.options.config import PluginConfig


class LossConfig(PluginConfig):
    """The config of a loss over the catalogue.

    Args:
        reads_all_items: Whether each step reads the whole table rather than the rows that it drew.
    """

    reads_all_items: ClassVar[bool]

    def numbers_per_position(self, width: int) -> int:
        """Numbers that a step of training holds for each position, beside those of the model."""
        return 0

    @abstractmethod
    def build(self, dimensions: Dimensions) -> nn.Module:
        """A module whose forward maps (hidden_ND, targets_N, item vectors) to the mean loss, in nats.

        What it draws at random, it draws from torch's generator of the device, which training seeds
        anew for each step.
        """
