"""FinFE: posts of a Chinese forum about shares, and their mood.

From INTERTASK_DATA. Terms: none stated. Source: Lu et al., "BBT-Fin: Comprehensive Construction of Chinese
Financial Domain Pre-trained Language Model, Corpus and Benchmark", 2023.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._fincuge import lists

MOODS = {"0": "negative", "1": "neutral", "2": "positive"}


class Config(RowsDatasetConfig):
    """10,645 posts that train, 845 that test. Label: `mood`.

    More than half of the published test texts also train, and 773 texts have two labels: those of two labels
    are left out, of those that are repeated the first stands here.
    """

    usual: ClassVar[Mapping[str, str]] = {"mood": "category"}
    kind: Literal["finfe_zh"] = "finfe_zh"

    def load(self, folder: Path) -> Rows:
        """The posts.

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        del folder
        found = lists("finfe-zh").filter(pl.col("label").n_unique().over("text") == 1)
        once = found.unique("text", keep="first", maintain_order=True)
        table = once.with_columns(mood=pl.col("label").replace_strict(MOODS)).drop("label")
        return Rows.read(table, texts=["text"], labels=["mood"], part="part", name=self.kind)
