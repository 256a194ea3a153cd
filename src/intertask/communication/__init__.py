"""Communication between tasks: hidden_BLD -> states_BLTD, causal. One file a mechanism.

A mechanism that remembers what was done is given the items of the events, items_BLD, beside hidden_BLD; where
rows have nothing to remember it is given hidden_BLD alone.
"""

from abc import abstractmethod
from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

from intertask.nn.dimensions import Dimensions
from intertask.options.config import PluginConfig


class CommunicationConfig(PluginConfig):
    """The config of a mechanism."""

    @property
    def remembers(self) -> bool:
        """Whether it reads the items of the events until a position, items_BLD, beside hidden_BLD.

        Of the others a position's states depend on that position alone.
        """
        return False

    @abstractmethod
    def build(self, dimensions: Dimensions) -> nn.Module:
        """A module whose forward maps what it reads to states_BLTD, one state for each task."""


@runtime_checkable
class Remembers(Protocol):
    """A mechanism that remembers, and can say the states of one position of each row alone."""

    def last(self, hidden_BLD: Tensor, items_BLD: Tensor | None, last_B: Tensor) -> Tensor:
        """The states at int64 `last_B`, [B, 1, T, D], in evaluation mode those of `forward` there."""
        ...


class Heard(NamedTuple):
    """What one exchange did.

    Args:
        states_BLTD: After it.
        shares_BLTS: Whom each task attended to, a row sums to one: the tasks, itself among them, then what
            the mechanism calls its `further` sources.
        gates_BLT: How far what is heard was let in, 0 to 1.
    """

    states_BLTD: Tensor
    shares_BLTS: Tensor
    gates_BLT: Tensor


@runtime_checkable
class Tells(Protocol):
    """A mechanism that can tell whom each task hears.

    Attributes:
        further: Names of the sources that are no tasks.
    """

    further: tuple[str, ...]

    def exchange(self, *read: Tensor) -> Heard:
        """The states, and whom each task heard, of what `forward` reads."""
        ...
