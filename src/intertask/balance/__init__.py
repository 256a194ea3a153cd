"""Balance: several losses to one. One file a method."""

from abc import abstractmethod
from collections.abc import Mapping

from torch import nn

from intertask.config import PluginConfig


class BalanceConfig(PluginConfig):
    """The config of a balance."""

    @abstractmethod
    def build(self, weights: Mapping[str, float], constant_losses: Mapping[str, float]) -> nn.Module:
        """A module whose forward maps the losses by task to the loss that is minimised.

        Args:
            weights: The weight of each task.
            constant_losses: What each task loses by an answer that ignores its inputs.
        """
