"""The user's own ids on one side, 0..n-1 on the other."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.ids import alike


@dataclass(frozen=True)
class Vocabulary:
    """Ids in a fixed order; the place of an id is its index.

    Args:
        ids: Unique ids, strings or integers, in the order of their indices.
    """

    ids: pl.Series

    def __len__(self) -> int:
        return len(self.ids)

    def encode(self, ids: pl.Series) -> NDArray[np.int32]:
        """The index of every id, -1 for the unknown ones. Integers and their spelling are the same id.

        Raises:
            DataError: The series holds no ids.
        """
        known, asked = alike(self.ids, ids)
        places = pl.DataFrame({"id": known, "place": np.arange(len(known), dtype=np.int32)})
        found = pl.DataFrame({"id": asked}).join(places, on="id", how="left", maintain_order="left")
        return found["place"].fill_null(-1).to_numpy()

    def decode(self, places: NDArray[np.integer]) -> pl.Series:
        """The ids at these indices."""
        return self.ids.gather(places)
