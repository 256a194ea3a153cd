"""One vector for each item, read by inputs and heads alike."""

from torch import Tensor, nn

INITIAL_DEVIATION = 0.02  # BERT's; larger values made full cross-entropy start above log(items)


class ItemTable(nn.Module):
    """The vectors of all items.

    Shapes: forward: items [...] -> vectors [..., D]; `weight_ID` is the whole table.
    """

    def __init__(self, num_items: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_items, width)
        nn.init.normal_(self.embedding.weight, std=INITIAL_DEVIATION)

    @property
    def weight_ID(self) -> Tensor:  # noqa: N802
        """The vectors of all items."""
        return self.embedding.weight

    def forward(self, items: Tensor) -> Tensor:
        """The vectors of some items."""
        vectors: Tensor = self.embedding(items)
        return vectors
