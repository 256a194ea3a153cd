"""Digits: 1,797 handwritten digits of 8 x 8 pixels.

Shipped with scikit-learn. Terms: CC BY 4.0 (UCI).
Source: Alpaydin and Kaynak, 1998; https://doi.org/10.24432/C50P49.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._scikit_learn import read


class Config(RowsDatasetConfig):
    """A column for each pixel, 0 to 16; label: `digit`."""

    usual: ClassVar[Mapping[str, str]] = {"digit": "category"}
    kind: Literal["digits"] = "digits"

    def load(self, folder: Path) -> Rows:
        """The rows; nothing is fetched."""
        from sklearn.datasets import load_digits

        del folder
        return read(load_digits, "digit", self.kind)
