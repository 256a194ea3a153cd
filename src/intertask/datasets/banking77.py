"""Banking77: what customers write to a bank, and which of 77 things they want.

From INTERTASK_DATA. Terms: CC BY 4.0. Source: Casanueva et al., "Efficient Intent Detection with Dual
Sentence Encoders", NLP4ConvAI 2020.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig

_FILES = {"train": "train.csv.gz", "test": "test.csv.gz"}
_ORIGIN = "https://github.com/PolyAI-LDN/task-specific-datasets, folder banking_data"


class Config(RowsDatasetConfig):
    """10,003 questions that train, 3,080 that test; no validation part. Label: `intent`."""

    usual: ClassVar[Mapping[str, str]] = {"intent": "category"}
    kind: Literal["banking77"] = "banking77"

    def load(self, folder: Path) -> Rows:
        """The questions.

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        del folder
        place = fetch.require_local("banking77", tuple(_FILES.values()), _ORIGIN)
        questions = pl.concat(
            pl.read_csv(place / file).with_columns(part=pl.lit(part)) for part, file in _FILES.items()
        )
        table = questions.rename({"category": "intent"})
        return Rows.read(table, texts=["text"], labels=["intent"], part="part", name=self.kind)
