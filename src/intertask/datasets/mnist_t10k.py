"""MNIST, the 10,000 digits of its test part: handwritten digits of 28 x 28 pixels.

From INTERTASK_DATA. Terms: CC BY-SA 3.0. Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning
applied to document recognition", Proceedings of the IEEE 86, 1998.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._pictures import as_files, idx

_FILES = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
_ORIGIN = "the MNIST archive, as t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz"


class Config(RowsDatasetConfig):
    """10,000 pictures; label: `digit`.

    The 60,000 that others train on are not here: figures are of a split of these, and do not compare with
    figures of the usual parts.
    """

    usual: ClassVar[Mapping[str, str]] = {"digit": "category"}
    kind: Literal["mnist_t10k"] = "mnist_t10k"

    def load(self, folder: Path) -> Rows:
        """The pictures.

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        place = fetch.require_local("mnist-t10k", _FILES, _ORIGIN)
        pictures, digits = (idx(place / file) for file in _FILES)
        frame = pl.DataFrame({"picture": as_files(self.kind, pictures), "digit": digits})
        return Rows.read(frame, files=["picture"], labels=["digit"], name=self.kind)
