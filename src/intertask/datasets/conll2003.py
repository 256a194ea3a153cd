"""CoNLL-2003: English news of Reuters in which persons, places, organisations and others are marked.

From INTERTASK_DATA. Terms: for research; the texts are Reuters'. Source: Tjong Kim Sang and De Meulder,
"Introduction to the CoNLL-2003 Shared Task: Language-Independent Named Entity Recognition", CoNLL 2003.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._tagged import MOST_JOINED, tagged

_FILES = {"train": "eng.train.gz", "validation": "eng.testa.gz", "test": "eng.testb.gz"}
_ORIGIN = "https://www.clips.uantwerpen.be/conll2003/ner/"


class Config(RowsDatasetConfig):
    """14,041 + 3,250 + 3,453 sentences in the order of the documents, whose borders are lost; tags in BIO.

    Labels, one a word: `tags`, O or B- and I- before PER, LOC, ORG, MISC; `chunks`, phrases.

    Args:
        joined_words: Most words of a row that neighbouring sentences share.
    """

    usual: ClassVar[Mapping[str, str]] = {"tags": "tags"}
    kind: Literal["conll2003"] = "conll2003"
    joined_words: int = Field(default=0, ge=0, le=MOST_JOINED)

    def load(self, folder: Path) -> Rows:
        """The sentences.

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        del folder
        place = fetch.require_local("conll2003", tuple(_FILES.values()), _ORIGIN)
        files = {part: place / file for part, file in _FILES.items()}
        return tagged(files, self.kind, joined_words=self.joined_words, labels={"tags": -1, "chunks": 2})
