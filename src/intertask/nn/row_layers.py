"""Layers over the cells of a row that lie side by side: what makes one vector of them."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from intertask.nn.dropout import Dropout


class RowLayers(nn.Module):
    """Linear layers with ReLU and dropout between them.

    Where attention learns which cells to compare, these read all of them at once, in a tenth of the time.
    Source: the MLP of Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data", NeurIPS 2021.

    Args:
        num_cells: Of a row.
        cell_width: Numbers of each.
        inner: Width of the hidden layers.
        num_layers: How many hidden layers there are.
        width: Of the vector.
        dropout: Share of the hidden numbers that training drops.

    Shapes: forward: cells [B, F, C] -> [B, D].
    """

    def __init__(
        self, num_cells: int, cell_width: int, inner: int, num_layers: int, width: int, dropout: float
    ) -> None:
        super().__init__()
        widths = [num_cells * cell_width, *[inner] * num_layers]
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.out = nn.Linear(widths[-1], width)
        self.dropout = Dropout(dropout)

    def forward(self, cells_BFC: Tensor) -> Tensor:
        """A vector for each row."""
        hidden_BN = cells_BFC.flatten(1)
        for layer in self.hidden:
            hidden_BN = self.dropout(torch.relu(layer(hidden_BN)))
        row_BD: Tensor = self.out(hidden_BN)
        return row_BD
