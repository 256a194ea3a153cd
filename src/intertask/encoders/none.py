"""No encoder: what the input made of each place goes on as it is."""

from typing import ClassVar, Literal

from torch import Tensor, nn

from intertask.encoders import Direction, EncoderConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.layout import Layout


class Config(EncoderConfig):
    """No options; for inputs that are sequences of encoded states already, as pretrained ones are."""

    directions: ClassVar[tuple[Direction, ...]] = ("past", "both")
    kind: Literal["none"] = "none"

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The encoder."""
        return Encoder()


class Encoder(nn.Module):
    """Passes on what it is given."""

    def forward(self, hidden_BLD: Tensor, layout: Layout) -> Tensor:
        """The same states."""
        return hidden_BLD
