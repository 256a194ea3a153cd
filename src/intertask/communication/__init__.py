"""Communication between tasks: hidden_BLD -> states_BLTD, position by position. One file a mechanism."""

from abc import abstractmethod

from torch import nn

from intertask.config import PluginConfig
from intertask.nn.dimensions import Dimensions


class CommunicationConfig(PluginConfig):
    """The config of a mechanism."""

    @abstractmethod
    def build(self, dimensions: Dimensions) -> nn.Module:
        """A module whose forward maps hidden_BLD to states_BLTD, one state for each task."""
