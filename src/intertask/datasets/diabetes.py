"""Diabetes: 442 patients, and how far the disease was a year later.

Shipped with scikit-learn. Terms: BSD-3-Clause, as scikit-learn.
Source: Efron et al., "Least angle regression", Annals of Statistics 2004.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._scikit_learn import read


class Config(RowsDatasetConfig):
    """Ten measurements, already in standard deviations; label: `progression`, a number."""

    usual: ClassVar[Mapping[str, str]] = {"progression": "regression"}
    kind: Literal["diabetes"] = "diabetes"

    def load(self, folder: Path) -> Rows:
        """The rows; nothing is fetched."""
        from sklearn.datasets import load_diabetes

        del folder
        return read(load_diabetes, "progression", self.kind)
