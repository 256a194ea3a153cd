"""Prepared rows: one Parquet file in the folder of a run."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from intertask.data.parquet import read_parquet
from intertask.data.rows import Rows
from intertask.storage.files import Contents, written_aside

FILE = "rows.parquet"
CORPUS = Contents("prepared rows", (FILE,))


@dataclass(frozen=True)
class RowCorpus:
    """All rows of a stream, as the seam knows a corpus.

    Args:
        rows: In the order of the file.
    """

    rows: Rows

    @cached_property
    def _digest(self) -> str:
        return self.rows.digest()

    def digest(self) -> str:
        """SHA-256 over inputs, labels and roles."""
        return self._digest

    def write(self, folder: Path) -> None:
        """Write the rows, all or nothing."""
        with written_aside(folder, CORPUS.refuse) as aside:
            aside.mkdir()
            self.rows.whole().write_parquet(aside / FILE)

    @classmethod
    def open(cls, folder: Path) -> "RowCorpus":
        """The rows that `write` wrote.

        Raises:
            DataError: The folder holds others, or none.
        """
        return cls(Rows.of(read_parquet(folder / FILE), str(folder / FILE)))
