"""The user's own ids on one side, 0..n-1 on the other."""

from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.ids import alike, plain
from intertask.data.parquet import read_parquet
from intertask.errors import DataError


@dataclass(frozen=True)
class Vocabulary:
    """Ids in a fixed order; the place of an id is its index.

    Args:
        ids: Unique ids, strings or integers, in the order of their indices.
    """

    ids: pl.Series

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def read(cls, path: Path, count: int) -> "Vocabulary":
        """The ids in a Parquet file with the one column `id`.

        Args:
            path: Of the file.
            count: How many there must be.

        Raises:
            IntertaskError: They are not as many, are no ids, or one is missing or comes twice.
        """
        ids = read_parquet(path, ["id"])["id"]
        if ids.dtype not in (pl.Int64, pl.UInt64, pl.String):
            raise DataError(f"{path} id", "ids of the type Int64, UInt64 or String", str(ids.dtype))
        if len(ids) != count:
            raise DataError(str(path), f"{count:,} ids", f"{len(ids):,}")
        if ids.has_nulls() or ids.n_unique() < len(ids):
            raise DataError(f"{path} id", "each id once", "one that is missing or comes twice")
        return cls(ids)

    def encode(self, ids: pl.Series) -> NDArray[np.int32]:
        """The index of every id, -1 for the unknown ones. Integers and their spelling are the same id.

        Raises:
            DataError: The series holds no ids, or the vocabulary holds one twice.
        """
        if not len(self):
            return np.full(len(ids), -1, np.int32)
        index = self._index
        hashes = plain(ids).cast(index.dtype, strict=False).hash(index.seed).to_numpy()
        near = index.places[np.minimum(np.searchsorted(index.hashes, hashes), len(self) - 1)]
        known, asked = alike(self.decode(near), ids)  # "+7" was read as 7, and an unknown id stands nowhere
        same = (known == asked).to_numpy().astype(bool)  # null is False
        return np.where(same, near, np.int32(-1))

    def decode(self, places: NDArray[np.integer]) -> pl.Series:
        """The ids at these indices."""
        return self.ids[places]  # `gather` says the same by way of a query, which costs a single request more

    @cached_property
    def _index(self) -> "_Index":
        """Made at the first question: a join would hash the whole vocabulary for each of them."""
        known = plain(self.ids)
        for seed in count():
            hashes = known.hash(seed)
            order = hashes.arg_sort()
            rising = hashes.gather(order).to_numpy()
            if (rising[1:] != rising[:-1]).all():
                return _Index(known.dtype, seed, rising, order.to_numpy().astype(np.int32))
            # One chance in 100,000 with 20 million ids, unless two of them are the same.
            if known.n_unique() < len(known):
                raise DataError("ids", "each id once", f"{known.filter(known.is_duplicated())[0]!r} twice")
        raise AssertionError("a seed that tells all ids apart")


@dataclass(frozen=True)
class _Index:
    """Where an id stands, by its hash; 12 bytes an id, where a dictionary of strings takes over 100.

    Args:
        dtype: Of the ids that were hashed.
        seed: Under which no two of them share a hash.
        hashes: uint64 [ids], rising.
        places: int32 [ids], of the ids with these hashes.
    """

    dtype: pl.DataType
    seed: int
    hashes: NDArray[np.uint64]
    places: NDArray[np.int32]
