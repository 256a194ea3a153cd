"""Resume NER: Chinese summaries of the lives of executives, character by character.

From INTERTASK_DATA. Terms: none stated; for research. Source: Zhang and Yang, "Chinese NER Using Lattice
LSTM", ACL 2018.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._tagged import tagged

_FILES = {
    "train": "train.char.bmes.gz",
    "validation": "dev.char.bmes.gz",
    "test": "test.char.bmes.gz",
}
_ORIGIN = "https://github.com/jiesutd/LatticeLSTM, folder ResumeNER"


class Config(RowsDatasetConfig):
    """3,821 + 463 + 477 sentences; tags in BMESO.

    Label: `tags`, one for each character: O, or B-, M-, E- and S- before NAME, CONT, RACE, TITLE, EDU, ORG,
    PRO and LOC.
    """

    usual: ClassVar[Mapping[str, str]] = {"tags": "tags"}
    kind: Literal["resume_ner_zh"] = "resume_ner_zh"

    def load(self, folder: Path) -> Rows:
        """The sentences.

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        del folder
        place = fetch.require_local("resume-ner-zh", tuple(_FILES.values()), _ORIGIN)
        return tagged({part: place / file for part, file in _FILES.items()}, self.kind)
