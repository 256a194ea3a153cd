"""Symptom2Disease: descriptions of symptoms that were written for this set, and the disease.

From INTERTASK_DATA. Terms: none stated. A demonstration on public data, and no medical device.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig

_FILE = "Symptom2Disease.csv.gz"
_ORIGIN = "Kaggle, niyarrbarman/symptom2disease"


class Config(RowsDatasetConfig):
    """1,153 texts, of 24 diseases; of 47 that are repeated one stands here. Label: `disease`."""

    usual: ClassVar[Mapping[str, str]] = {"disease": "category"}
    medical: ClassVar[bool] = True
    kind: Literal["symptom2disease"] = "symptom2disease"

    def load(self, folder: Path) -> Rows:
        """The texts.

        Raises:
            DataError: The file is not below INTERTASK_DATA.
        """
        del folder
        place = fetch.require_local("symptom2disease", (_FILE,), _ORIGIN)
        found = pl.read_csv(place / _FILE).select("text", disease="label")
        plain = pl.col("text").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
        once = found.unique(subset=plain, keep="first", maintain_order=True)
        return Rows.read(once, texts=["text"], labels=["disease"], name=self.kind)
