"""Stacked recurrent layers with residuals."""

from typing import Literal

import torch
from torch import Tensor, nn

from intertask.nn.dropout import Dropout
from intertask.nn.layout import Layout

Cell = Literal["rnn", "lstm", "gru"]
CELLS: dict[Cell, type[nn.RNN | nn.LSTM | nn.GRU]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class RecurrentStack(nn.Module):
    """Pre-norm recurrent layers, each added to what it read.

    Padding stands behind the events, so the state at a real position has never seen it and the rows need
    not be packed.

    Args:
        cell: Of each layer.
        width: Of the vectors.
        num_layers: Layers.
        dropout: Share of the numbers that training drops after each.
        both: Half of the numbers of each layer come from a cell that runs from the end.
    """

    def __init__(
        self, cell: Cell, width: int, num_layers: int, dropout: float, *, both: bool = False
    ) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(num_layers))
        hidden = width // 2 if both else width
        self.layers = nn.ModuleList(CELLS[cell](width, hidden, batch_first=True) for _ in range(num_layers))
        self.backs = nn.ModuleList(
            CELLS[cell](width, hidden, batch_first=True) for _ in range(num_layers if both else 0)
        )
        self.dropout = Dropout(dropout)
        self.norm = nn.LayerNorm(width)

    def forward(self, hidden_BLD: Tensor, layout: Layout) -> Tensor:
        """Encoded states; the clock is not used."""
        turned_BL = _turned(hidden_BLD, layout) if len(self.backs) else None
        for place, (norm, layer) in enumerate(zip(self.norms, self.layers, strict=True)):
            read_BLD = norm(hidden_BLD)
            change_BLD = layer(read_BLD)[0]
            if turned_BL is not None:
                back_BLD = _at(self.backs[place](_at(read_BLD, turned_BL))[0], turned_BL)
                change_BLD = torch.cat([change_BLD, back_BLD], dim=-1)
            hidden_BLD = hidden_BLD + self.dropout(change_BLD)
        encoded_BLD: Tensor = self.norm(hidden_BLD)
        return encoded_BLD


def _turned(hidden_BLD: Tensor, layout: Layout) -> Tensor:
    """The places of each row from the last real one to the first, padding where it is: it turns itself back.

    Rows that are turned need not be packed, which takes twice as long with LSTM on a CPU.
    """
    steps_L = torch.arange(hidden_BLD.shape[1], device=hidden_BLD.device)
    lengths_B1 = layout.real_places_B(hidden_BLD)[:, None]
    return torch.where(steps_L < lengths_B1, lengths_B1 - 1 - steps_L, steps_L)


def _at(states_BLD: Tensor, places_BL: Tensor) -> Tensor:
    return states_BLD.gather(1, places_BL.unsqueeze(-1).expand_as(states_BLD))
