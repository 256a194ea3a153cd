"""One vector for each item, read by inputs and heads alike."""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

INITIAL_DEVIATION = 0.02  # BERT's; larger values made full cross-entropy start above log(items)


class ItemVectors(Protocol):
    """What scores are products with: the vectors of some items, or of all."""

    def __len__(self) -> int: ...

    def __call__(self, items: Tensor) -> Tensor:
        """The vectors of some items: [...] -> [..., D]."""

    def all(self) -> Tensor:
        """The vectors of all items, [I, D]."""


class Items(ItemVectors, Protocol):
    """The table that heads read."""

    @property
    def weight_ID(self) -> Tensor:  # noqa: N802
        """The vectors of all items."""


class ItemTable(nn.Module):
    """The vectors of all items.

    Args:
        num_items: Rows of the table.
        width: Of a vector.
        sparse: The gradient of a lookup has the looked-up rows alone, so that the update costs the same in
            a catalogue of any size. All readers must look rows up then.

    Shapes: forward: items [...] -> vectors [..., D]; `weight_ID` is the whole table.
    """

    def __init__(self, num_items: int, width: int, *, sparse: bool = False) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_items, width, sparse=sparse)
        nn.init.normal_(self.embedding.weight, std=INITIAL_DEVIATION)

    def __len__(self) -> int:
        return self.embedding.num_embeddings

    @property
    def weight_ID(self) -> Tensor:  # noqa: N802
        """The vectors of all items."""
        return self.embedding.weight

    def forward(self, items: Tensor) -> Tensor:
        """The vectors of some items."""
        vectors: Tensor = self.embedding(items)
        return vectors

    def all(self) -> Tensor:
        """The vectors of all items."""
        return self.weight_ID


class DetachedItems:
    """The vectors of a table, for a head that may not push on them."""

    def __init__(self, items: ItemTable) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __call__(self, items: Tensor) -> Tensor:
        """The vectors of some items."""
        with torch.no_grad():
            vectors: Tensor = self.items(items)
        return vectors

    @property
    def weight_ID(self) -> Tensor:  # noqa: N802
        """The vectors of all items."""
        return self.items.weight_ID.detach()

    def all(self) -> Tensor:
        """The vectors of all items."""
        return self.weight_ID


def sparse_tables(model: nn.Module) -> list[Tensor]:
    """The tables of a model whose gradients have the looked-up rows alone, each once."""
    tables = [module for module in model.modules() if isinstance(module, nn.Embedding) and module.sparse]
    return list({id(table.weight): table.weight for table in tables}.values())


class UnitVectors:
    """The vectors of a table, each divided by its length."""

    def __init__(self, items: Items) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __call__(self, items: Tensor) -> Tensor:
        """The directions of some items."""
        return functional.normalize(self.items(items), dim=-1)

    def all(self) -> Tensor:
        """The directions of all items."""
        return functional.normalize(self.items.weight_ID, dim=-1)
