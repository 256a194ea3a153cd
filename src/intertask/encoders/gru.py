"""Gated recurrent unit (Cho et al., 2014), the encoder of GRU4Rec (Hidasi et al., 2016)."""

from typing import ClassVar, Literal

from intertask.encoders._recurrent import RecurrentConfig
from intertask.nn.recurrent import Cell


class Config(RecurrentConfig):
    """A stack of GRU layers with residuals."""

    kind: Literal["gru"] = "gru"
    cell: ClassVar[Cell] = "gru"
