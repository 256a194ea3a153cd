"""Your own tagged words: a word on each line, its tag behind it, and blank lines between sentences."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._tagged import MOST_JOINED, tagged


class Config(RowsDatasetConfig):
    """The form of CoNLL: columns parted by blanks or tabs; a line with -DOCSTART- begins a document.

    Args:
        train: File whose sentences train; from the working folder where it is relative.
        test: File whose sentences test.
        validation: File whose sentences validate; a share of those that train if left out.
        word: Place of the word on a line, from 0.
        tag: Place of its tag; -1 is the last.
        joined_words: Most words of a row that neighbouring sentences share.
    """

    usual: ClassVar[Mapping[str, str]] = {"tags": "tags"}
    kind: Literal["token_lines"] = "token_lines"
    train: Path
    test: Path
    validation: Path | None = None
    word: int = Field(default=0, ge=0, le=1_000)
    tag: int = Field(default=-1, ge=-1, le=1_000)
    joined_words: int = Field(default=0, ge=0, le=MOST_JOINED)

    def load(self, folder: Path) -> Rows:
        """The sentences.

        Raises:
            DataError: A file is missing, or is of another form.
        """
        del folder
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        files = {part: file for part, file in named.items() if file is not None}
        return tagged(files, self.kind, self.word, self.joined_words, {"tags": self.tag})
