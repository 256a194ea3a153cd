"""Inputs: one modality and how it becomes a sequence. One file an input."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from intertask.config import PluginConfig
from intertask.data.batches import Batch
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import ItemTable


class InputConfig(PluginConfig):
    """The config of an input."""

    @abstractmethod
    def build(self, dimensions: Dimensions, items: ItemTable) -> "Input":
        """The input, given the item vectors of the heads."""

    @property
    def uses_times(self) -> bool:
        """Whether it needs a log with a clock."""
        return False


class Input(nn.Module, ABC):
    """A module whose forward maps a `Batch` and its item vectors to hidden_BLD."""

    @abstractmethod
    def item_vectors(self, batch: Batch) -> Tensor:
        """The items of the events as they are read, and nothing else of them, [B, L, D]."""
