"""Digits: 1,797 handwritten digits of 8 x 8 pixels.

Shipped with scikit-learn. Terms: CC BY 4.0 (UCI).
Source: Alpaydin and Kaynak, 1998; https://doi.org/10.24432/C50P49.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._pictures import as_files
from intertask.datasets._scikit_learn import read


class Config(RowsDatasetConfig):
    """A column for each pixel, 0 to 16; label: `digit`.

    Args:
        pictures: Give each as a picture, for the input `image`, in place of columns.
    """

    usual: ClassVar[Mapping[str, str]] = {"digit": "category"}
    kind: Literal["digits"] = "digits"
    pictures: bool = False

    def load(self, folder: Path) -> Rows:
        """The rows; nothing is fetched."""
        from sklearn.datasets import load_digits

        del folder
        if not self.pictures:
            return read(load_digits, "digit", self.kind)
        found = load_digits()
        shades = np.rint(np.asarray(found.images) * (255 / 16)).astype(np.uint8)
        frame = pl.DataFrame({"picture": as_files(self.kind, shades), "digit": np.asarray(found.target)})
        return Rows.read(frame, files=["picture"], labels=["digit"], name=self.kind)
