"""Wine: 178 Italian wines of three cultivars.

Shipped with scikit-learn. Terms: CC BY 4.0 (UCI).
Source: Forina et al., PARVUS, 1988; https://doi.org/10.24432/C5PC7J.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._scikit_learn import read


class Config(RowsDatasetConfig):
    """Thirteen chemical measurements; label: `cultivar`."""

    usual: ClassVar[Mapping[str, str]] = {"cultivar": "category"}
    kind: Literal["wine"] = "wine"

    def load(self, folder: Path) -> Rows:
        """The rows; nothing is fetched."""
        from sklearn.datasets import load_wine

        del folder
        return read(load_wine, "cultivar", self.kind)
