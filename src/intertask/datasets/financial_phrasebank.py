"""Financial PhraseBank: sentences of financial news, and whether they are good, bad or no news for investors.

From INTERTASK_DATA. Terms: CC BY-NC-SA 3.0. Source: Malo et al., "Good debt or bad debt: Detecting semantic
orientations in economic texts", JASIST 65, 2014.
"""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig

_ORIGIN = "https://huggingface.co/datasets/takala/financial_phrasebank"


class Config(RowsDatasetConfig):
    """4,846 sentences where half of the annotators agree, 2,264 where all do; repeated ones stand here once.

    Label: `sentiment`. There is no split; folds are usual.

    Args:
        agreement: Share of the annotators who agree, in percent, at least.
    """

    usual: ClassVar[Mapping[str, str]] = {"sentiment": "category"}
    kind: Literal["financial_phrasebank"] = "financial_phrasebank"
    agreement: Literal[50, 66, 75, 100] = 50

    def load(self, folder: Path) -> Rows:
        """The sentences.

        Raises:
            DataError: The file is not below INTERTASK_DATA.
        """
        del folder
        file = f"Sentences_{'All' if self.agreement == 100 else self.agreement}Agree.txt.gz"
        place = fetch.require_local("financial-phrasebank", (file,), _ORIGIN)
        lines = gzip.decompress((place / file).read_bytes()).decode("iso-8859-1").splitlines()
        parted = [line.rpartition("@") for line in lines if line.strip()]
        table = pl.DataFrame(
            {"text": [text for text, _, _ in parted], "sentiment": [label for _, _, label in parted]}
        )
        once = table.unique("text", keep="first", maintain_order=True)
        return Rows.read(once, texts=["text"], labels=["sentiment"], name=self.kind)
