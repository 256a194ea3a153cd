"""A vector for each id, which training events alone say something about."""

from typing import Literal

from intertask.items import ItemsConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import ItemTable


class Config(ItemsConfig):
    """No options: an item without a training event has a random vector, and is in no list."""

    kind: Literal["table"] = "table"

    def build(self, dimensions: Dimensions, *, sparse: bool) -> ItemTable:
        """The table."""
        return ItemTable(dimensions.num_items, dimensions.width, sparse=sparse)
