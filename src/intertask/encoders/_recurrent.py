"""What the configs of the recurrent encoders share."""

from typing import ClassVar

from pydantic import Field

from intertask.encoders import Direction, EncoderConfig
from intertask.errors import RecipeError
from intertask.nn.dimensions import Dimensions
from intertask.nn.recurrent import Cell, RecurrentStack


class RecurrentConfig(EncoderConfig):
    """Layers of one recurrent cell; with direction = "both" half of each runs from the end.

    Args:
        num_layers: Layers, one on top of the other.
        dropout: Share of the numbers that training drops after each layer.
    """

    directions: ClassVar[tuple[Direction, ...]] = ("past", "both")
    cell: ClassVar[Cell]
    num_layers: int = Field(default=1, ge=1, le=64)
    dropout: float = Field(default=0.2, ge=0, lt=1)

    def build(self, dimensions: Dimensions) -> RecurrentStack:
        """The encoder."""
        both = self.direction == "both"
        if both and dimensions.width % 2:
            raise RecipeError("width", 'an even one for direction = "both"', str(dimensions.width))
        return RecurrentStack(self.cell, dimensions.width, self.num_layers, self.dropout, both=both)
