"""Breast cancer (Wisconsin): 569 tumours, benign or malignant.

Shipped with scikit-learn. Terms: CC BY 4.0 (UCI).
Source: Street, Wolberg and Mangasarian, 1993; https://doi.org/10.24432/C5DW2B.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._scikit_learn import read


class Config(RowsDatasetConfig):
    """Thirty measurements of cell nuclei; label: `diagnosis`."""

    usual: ClassVar[Mapping[str, str]] = {"diagnosis": "category"}
    kind: Literal["breast_cancer"] = "breast_cancer"
    medical: ClassVar[bool] = True

    def load(self, folder: Path) -> Rows:
        """The rows; nothing is fetched."""
        from sklearn.datasets import load_breast_cancer

        del folder
        return read(load_breast_cancer, "diagnosis", self.kind)
