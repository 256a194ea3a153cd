"""What the configs of the recurrent encoders share."""

from typing import ClassVar

from pydantic import Field

from intertask.encoders import EncoderConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.recurrent import Cell, RecurrentStack


class RecurrentConfig(EncoderConfig):
    """Layers of one recurrent cell.

    Args:
        num_layers: Layers, one on top of the other.
        dropout: Share of the numbers that training drops after each layer.
    """

    cell: ClassVar[Cell]
    num_layers: int = Field(default=1, ge=1, le=64)
    dropout: float = Field(default=0.2, ge=0, lt=1)

    def build(self, dimensions: Dimensions) -> RecurrentStack:
        """The encoder."""
        return RecurrentStack(self.cell, dimensions.width, self.num_layers, self.dropout)
