"""Long short-term memory (Hochreiter and Schmidhuber, 1997)."""

from typing import ClassVar, Literal

from intertask.encoders._recurrent import RecurrentConfig
from intertask.nn.recurrent import Cell


class Config(RecurrentConfig):
    """A stack of LSTM layers with residuals."""

    kind: Literal["lstm"] = "lstm"
    cell: ClassVar[Cell] = "lstm"
