"""Elman network (Elman, 1990), hyperbolic tangent."""

from typing import ClassVar, Literal

from intertask.encoders._recurrent import RecurrentConfig
from intertask.nn.recurrent import Cell


class Config(RecurrentConfig):
    """A stack of RNN layers with residuals."""

    kind: Literal["rnn"] = "rnn"
    cell: ClassVar[Cell] = "rnn"
