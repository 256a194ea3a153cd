"""Encoders: sequence to sequence, hidden_BLD -> hidden_BLD. One file an encoder."""

from abc import abstractmethod
from typing import ClassVar, Literal

from pydantic import Field, model_validator
from torch import nn

from intertask.nn.dimensions import Dimensions
from intertask.options.config import PluginConfig

Direction = Literal["past", "both"]


class EncoderConfig(PluginConfig):
    """The config of an encoder.

    Args:
        direction: What a place sees: "past" is itself and what comes before it, as tasks need that are asked
            what follows; "both" is the whole row. If left out, the past of events and the whole of rows, as
            far as the encoder can.
        learning_rate: Of its own weights, in place of the rate of [train]; 0 keeps them as they are.

    Attributes:
        directions: What it can.
    """

    direction: Direction | None = None
    learning_rate: float | None = Field(default=None, ge=0, le=10)

    directions: ClassVar[tuple[Direction, ...]] = ("past",)

    @model_validator(mode="after")
    def _can(self) -> "EncoderConfig":
        if self.direction is not None and self.direction not in self.directions:
            raise ValueError(f"direction = {self.directions[0]!r}, the only one of this kind of encoder")
        return self

    @property
    def causal(self) -> bool:
        """Whether a place of events never sees what comes after it."""
        return self.direction != "both"

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
