"""FinNL: Chinese financial news, and the topics that each is about.

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

LEAST = 5  # a label of fewer texts is a slip of the pen


class Config(RowsDatasetConfig):
    """6,926 texts that train, 872 that test; repeated ones stand here once. Label: `topics`, several."""

    usual: ClassVar[Mapping[str, str]] = {"topics": "category"}
    kind: Literal["finnl_zh"] = "finnl_zh"

    def load(self, folder: Path) -> Rows:
        """The texts.

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        del folder
        found = lists("finnl-zh").unique("text", keep="first", maintain_order=True)
        topics = found.with_columns(topics=pl.col("label").str.split(" ")).with_row_index("row")
        each = topics.explode("topics").filter(pl.col("topics") != "")
        kept = each.filter(pl.len().over("topics") >= LEAST)
        table = topics.drop("topics", "label").join(
            kept.group_by("row", maintain_order=True).agg("topics"), on="row", maintain_order="left"
        )
        return Rows.read(
            table.drop("row"),
            texts=["text"],
            labels=["topics"],
            several=["topics"],
            part="part",
            name=self.kind,
        )
