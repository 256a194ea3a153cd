"""What the configs of the encoders with attention share."""

from typing import ClassVar, Literal

from pydantic import Field

from intertask.encoders import Direction, EncoderConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.time_bias import TimeBias
from intertask.nn.transformer import TransformerBlock, TransformerStack


class AttentiveConfig(EncoderConfig):
    """Fields of an encoder with attention.

    Args:
        num_layers: Number of blocks.
        num_heads: Number of heads of each block; must divide the width.
        dropout: Share of what a block adds that training drops.
        time_bias: Weigh events by time. "history": by the time between two events; "query": by the time
            until the target, which the model must then know, so that figures are a track of their own;
            "off": not at all.
    """

    directions: ClassVar[tuple[Direction, ...]] = ("past", "both")
    num_layers: int = Field(default=2, ge=1, le=64)
    num_heads: int = Field(default=2, ge=1, le=256)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    time_bias: Literal["off", "history", "query"] = "off"

    @property
    def uses_times(self) -> bool:
        """Whether it needs a log with a clock."""
        return self.time_bias != "off"

    @property
    def uses_query_time(self) -> bool:
        """Whether it is told when the target happens."""
        return self.time_bias == "query"

    def build_time_bias(self) -> TimeBias | None:
        """The bias, or None where it is off."""
        if self.time_bias == "off":
            return None
        return TimeBias(self.num_heads, query_time=self.time_bias == "query")


class TransformerConfig(AttentiveConfig):
    """Fields of transformer blocks.

    Args:
        attention_dropout: Share of the attention weights that training drops.
        inner_factor: Inner width of the SwiGLU, in multiples of the width.
        gated: Gated residuals as in LiGR; plain ones otherwise.
    """

    attention_dropout: float = Field(default=0.0, ge=0, lt=1)
    inner_factor: float = Field(default=2.0, gt=0, le=64)
    gated: bool = True

    def build_stack(self, dimensions: Dimensions) -> TransformerStack:
        """The blocks."""
        width = dimensions.width
        blocks = [
            TransformerBlock(
                width,
                self.num_heads,
                int(self.inner_factor * width),
                self.dropout,
                self.attention_dropout,
                gated=self.gated,
            )
            for _ in range(self.num_layers)
        ]
        return TransformerStack(blocks, width, self.build_time_bias())
