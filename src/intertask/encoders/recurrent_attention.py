"""A recurrent encoder followed by self-attention: order first, then what matters in it."""

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from intertask.encoders import Direction
from intertask.encoders._attentive import TransformerConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.layout import Layout
from intertask.nn.recurrent import Cell, RecurrentStack


class Config(TransformerConfig):
    """Recurrent layers under transformer blocks.

    Args:
        cell: The cell of the recurrent layers.
        num_recurrent_layers: Number of recurrent layers.
    """

    directions: ClassVar[tuple[Direction, ...]] = ("past",)
    kind: Literal["recurrent_attention"] = "recurrent_attention"
    cell: Cell = "gru"
    num_recurrent_layers: int = Field(default=1, ge=1, le=64)
    num_layers: int = Field(default=1, ge=1, le=64)

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The encoder."""
        return Encoder(self, dimensions)


class Encoder(nn.Module):
    """The two, one behind the other."""

    def __init__(self, config: Config, dimensions: Dimensions) -> None:
        super().__init__()
        self.recurrent = RecurrentStack(
            config.cell, dimensions.width, config.num_recurrent_layers, config.dropout
        )
        self.attention = config.build_stack(dimensions)

    def forward(self, hidden_BLD: Tensor, layout: Layout) -> Tensor:
        """Encoded states."""
        encoded_BLD: Tensor = self.attention(self.recurrent(hidden_BLD, layout), layout)
        return encoded_BLD
