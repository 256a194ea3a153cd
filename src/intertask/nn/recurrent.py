"""Stacked recurrent layers with residuals."""

from typing import Literal

from torch import Tensor, nn

from intertask.nn.dropout import Dropout
from intertask.nn.layout import Layout

Cell = Literal["rnn", "lstm", "gru"]
CELLS: dict[Cell, type[nn.RNN | nn.LSTM | nn.GRU]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class RecurrentStack(nn.Module):
    """Pre-norm recurrent layers, each added to what it read.

    Padding stands behind the events, so the state at a real position has never seen it and the rows need
    not be packed.
    """

    def __init__(self, cell: Cell, width: int, num_layers: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(num_layers))
        self.layers = nn.ModuleList(CELLS[cell](width, width, batch_first=True) for _ in range(num_layers))
        self.dropout = Dropout(dropout)
        self.norm = nn.LayerNorm(width)

    def forward(self, hidden_BLD: Tensor, layout: Layout) -> Tensor:
        """Encoded states; the clock is not used."""
        for norm, layer in zip(self.norms, self.layers, strict=True):
            hidden_BLD = hidden_BLD + self.dropout(layer(norm(hidden_BLD))[0])
        encoded_BLD: Tensor = self.norm(hidden_BLD)
        return encoded_BLD
