"""Inputs: one modality and how it becomes a sequence. One file an input."""

from abc import abstractmethod

from torch import nn

from intertask.config import PluginConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import ItemTable


class InputConfig(PluginConfig):
    """The config of an input."""

    @abstractmethod
    def build(self, dimensions: Dimensions, items: ItemTable) -> nn.Module:
        """A module whose forward maps a `Batch` to hidden_BLD, given the item vectors of the heads."""

    @property
    def uses_times(self) -> bool:
        """Whether it needs a log with a clock."""
        return False
