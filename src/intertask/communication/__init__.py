"""Communication between tasks: hidden_BLD -> states_BLTD, causal. One file a mechanism."""

from abc import abstractmethod
from typing import ClassVar

from torch import nn

from intertask.config import PluginConfig
from intertask.nn.dimensions import Dimensions


class CommunicationConfig(PluginConfig):
    """The config of a mechanism.

    Attributes:
        position_wise: Whether a position's states depend on that position alone, or on what came before too.
    """

    position_wise: ClassVar[bool] = True

    @abstractmethod
    def build(self, dimensions: Dimensions) -> nn.Module:
        """A module whose forward maps hidden_BLD to states_BLTD, one state for each task."""
