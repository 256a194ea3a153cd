"""Iris: 150 flowers of three species.

Shipped with scikit-learn. Terms: CC BY 4.0 (UCI).
Source: Fisher, "The use of multiple measurements in taxonomic problems", 1936.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._scikit_learn import read


class Config(RowsDatasetConfig):
    """Four lengths in centimetres; label: `species`."""

    usual: ClassVar[Mapping[str, str]] = {"species": "category"}
    kind: Literal["iris"] = "iris"

    def load(self, folder: Path) -> Rows:
        """The rows; nothing is fetched."""
        from sklearn.datasets import load_iris

        del folder
        return read(load_iris, "species", self.kind)
