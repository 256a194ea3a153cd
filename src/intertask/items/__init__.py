"""Items: how a model that ranks items makes a vector of each. One file a kind."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.catalogue import Catalogue
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import AllItems
from intertask.options.config import PluginConfig


class ItemsConfig(PluginConfig):
    """The config of the vectors of items.

    Attributes:
        reads_catalogue: Whether they are made of what the catalogue says, so that its items belong to the
            vocabulary, with or without an event.
    """

    reads_catalogue: ClassVar[bool] = False

    def describe(self, catalogue: Catalogue, ids: pl.Series, counts_I: NDArray[np.int64]) -> object | None:
        """What the catalogue says of each item, for `Dimensions.described`; None where nobody asks.

        Args:
            catalogue: What there is.
            ids: Of the vocabulary.
            counts_I: Training events of each, by which training items are told from others.
        """
        return None

    def prepare(self, items: AllItems) -> None:
        """Called once of new vectors that are to be trained, such as to take weights of elsewhere.

        Raises:
            RecipeError: They cannot be had.
        """

    @property
    def share_of_new(self) -> float:
        """Share of the places of lists that items without a training event may have."""
        return 1.0

    def bonus_of_new(self, *, mixed: bool) -> float:
        """What is added to the scores of items that were never trained, in deviations of the others.

        Args:
            mixed: Whether the scores are those of a ranker.
        """
        return 0.0

    @abstractmethod
    def build(self, dimensions: Dimensions, *, sparse: bool) -> AllItems:
        """The vectors of all items.

        Args:
            dimensions: Sizes of recipe and data.
            sparse: Whether a step of training reads some of them alone.
        """
