"""One vector for each item, read by inputs and heads alike."""

from abc import ABC, abstractmethod
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
        ...

    @property
    def some(self) -> "SomeItems | None":
        """The items that training asks for and against; None where these are all."""
        ...

    def own_share(self, items: Tensor) -> Tensor | None:
        """How far what is known of an item's id alone may count, 0 to 1, [...]; None where that is all."""
        ...


class AllItems(nn.Module, ABC):
    """The vectors of all items, as a part of a model that its input and its heads share.

    Shapes: forward: items [...] -> vectors [..., D]; `weight_ID` is the whole table.
    """

    @property
    def some(self) -> "SomeItems | None":
        """The items that training asks for and against; None where these are all."""
        return None

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def weight_ID(self) -> Tensor:  # noqa: N802
        """The vectors of all items."""

    @abstractmethod
    def forward(self, items: Tensor) -> Tensor:
        """The vectors of some items."""

    def all(self) -> Tensor:
        """The vectors of all items."""
        return self.weight_ID

    def own_share(self, items: Tensor) -> Tensor | None:
        """How far what is known of an item's id alone may count, 0 to 1, [...]; None where that is all."""
        return None

    def settle(self) -> object | None:
        """Called at the end of a training; returns what `Dimensions.described` then is."""
        return None


class ItemTable(AllItems):
    """The vectors of all items.

    Args:
        num_items: Rows of the table.
        width: Of a vector.
        sparse: The gradient of a lookup has the looked-up rows alone, so that the update costs the same in
            a catalogue of any size. All readers must look rows up then.
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


class DetachedItems:
    """The vectors of a table, for a head that may not push on them."""

    def __init__(self, items: AllItems) -> None:
        self.items = items
        self.some = None if items.some is None else items.some.of(self)

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

    def own_share(self, items: Tensor) -> Tensor | None:
        """How far what is known of an item's id alone may count."""
        return self.items.own_share(items)


class SomeItems:
    """The vectors of some items, by places among these: what a loss asks for and against.

    Args:
        items: All of them.
        which_I: Those that count, bool.
    """

    def __init__(self, items: ItemVectors, which_I: Tensor) -> None:
        self.items, self.which_I = items, which_I
        self.items_W = torch.nonzero(which_I).squeeze(1)
        self.places_I = which_I.long().cumsum(0) - 1

    def of(self, items: ItemVectors) -> "SomeItems":
        """The same of another view of the vectors."""
        return SomeItems(items, self.which_I)

    def __len__(self) -> int:
        return len(self.items_W)

    def __call__(self, items: Tensor) -> Tensor:
        """The vectors at some places among these."""
        return self.items(self.items_W.to(items.device)[items])

    def all(self) -> Tensor:
        """The vectors at all places, [W, D]."""
        vectors = self.items.all()
        return vectors[self.items_W.to(vectors.device)]

    def places(self, items: Tensor) -> Tensor:
        """The places of items that count: [...] -> [...]."""
        return self.places_I.to(items.device)[items]


def sparse_tables(model: nn.Module) -> list[Tensor]:
    """The tables of a model whose gradients have the looked-up rows alone, each once."""
    tables = [module for module in model.modules() if isinstance(module, nn.Embedding) and module.sparse]
    return list({id(table.weight): table.weight for table in tables}.values())


class UnitVectors:
    """Vectors, each divided by its length."""

    def __init__(self, items: ItemVectors) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __call__(self, items: Tensor) -> Tensor:
        """The directions of some items."""
        return functional.normalize(self.items(items), dim=-1)

    def all(self) -> Tensor:
        """The directions of all items."""
        return functional.normalize(self.items.all(), dim=-1)
