"""Encoders: sequence to sequence, hidden_BLD -> hidden_BLD. One file an encoder."""

from abc import abstractmethod
from typing import ClassVar

from torch import nn

from intertask.config import PluginConfig
from intertask.nn.dimensions import Dimensions


class EncoderConfig(PluginConfig):
    """The config of an encoder.

    Attributes:
        causal: Whether a position never sees what comes after it; next-item tasks need that.
    """

    causal: ClassVar[bool] = True

    @abstractmethod
    def build(self, dimensions: Dimensions) -> nn.Module:
        """A module whose forward maps (hidden_BLD, Layout) to hidden_BLD."""

    @property
    def uses_times(self) -> bool:
        """Whether it needs a log with a clock."""
        return False

    @property
    def uses_query_time(self) -> bool:
        """Whether it is told when the target happens, which is a track of its own."""
        return False
