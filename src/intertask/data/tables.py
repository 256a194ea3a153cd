"""A file of any supported kind, or a frame, as one lazy table. Knows nothing of what the columns mean."""

import codecs
import difflib
import gzip
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from intertask.errors import DataError

Source = str | Path | pl.DataFrame

_KINDS = {
    ".parquet": "Parquet", ".pq": "Parquet",
    ".csv": "CSV", ".tsv": "CSV", ".tab": "CSV", ".txt": "CSV",
    ".jsonl": "JSONL", ".ndjson": "JSONL",
}  # fmt: skip
MOST, LONGEST = 40, 60  # columns that a message names, and letters of a name
_EXPECTED = "a file ending in .parquet, .csv, .tsv, .txt, .jsonl or .ndjson (text also with .gz)"


@dataclass(frozen=True)
class Table:
    """Rows that have not been read yet.

    Args:
        name: The file as the user wrote it, or "DataFrame".
        rows: The rows in file order.
        schema: Columns and their types.
        typed: Whether the source itself has types; in CSV everything is text until it is understood.
    """

    name: str
    rows: pl.LazyFrame
    schema: pl.Schema
    typed: bool

    def require(self, column: str, role: str) -> pl.DataType:
        """The type of a column.

        Raises:
            DataError: There is no such column; names those that there are and the closest one.
        """
        if column in self.schema:
            return self.schema[column]
        folded = {name.casefold(): name for name in self.schema}
        close = difflib.get_close_matches(column.casefold(), folded, n=1, cutoff=0.5)
        raise DataError(
            self.name, f"a column {column!r} for {role}", f"the columns {_listed(self.schema)}",
            f"did you mean {folded[close[0]]!r}?" if close else "name the column that holds it",
        )  # fmt: skip

    def count(self) -> int:
        """Number of rows."""
        return int(self.collect(self.rows.select(pl.len())).item())

    def collect(self, rows: pl.LazyFrame) -> pl.DataFrame:
        """Run a query over this table, in pieces, so that only its result is in memory.

        Raises:
            DataError: The file is damaged further down.
        """
        with reading(self.name):
            return rows.collect(engine="streaming")


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever a damaged or foreign file causes into one clear error."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, UnicodeDecodeError) as error:
        message = str(error).strip().split("\n", maxsplit=1)[0].removesuffix(".") or type(error).__name__
        raise DataError(
            name, "a complete file of the kind its name says", message,
            "is it truncated, of another kind, or not UTF-8?",
        ) from None  # fmt: skip


def scan(source: Source, separator: str | None = None, name: str | None = None) -> Table:
    """A source as a table; of a file only the beginning is read.

    Args:
        source: A path, or a frame.
        separator: What stands between the columns of a text file; None takes the most frequent of
            comma, tab, semicolon and bar in its first line.
        name: What errors call it; None takes the path, or "DataFrame".

    Raises:
        DataError: The file is missing, a directory, empty, damaged or of an unknown kind.
    """
    if isinstance(source, pl.DataFrame):
        return Table(name or "DataFrame", source.lazy(), source.schema, typed=True)
    if not isinstance(source, str | Path):
        raise DataError(
            "source",
            "a path or a polars DataFrame",
            type(source).__name__,
            "convert it, e.g. polars.from_pandas",
        )
    path = Path(source)
    kind = _kind(path)
    with reading(str(path)):
        rows = _scan(path, kind, separator)
        return Table(name or str(path), rows, rows.collect_schema(), typed=kind != "CSV")


def _kind(path: Path) -> str:
    if path.is_dir():
        raise DataError(str(path), _EXPECTED, "a directory", "name one file in it")
    if not path.exists():
        siblings = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, siblings, n=1)
        raise DataError(str(path), "a file", "no such file", f"did you mean {close[0]!r}?" if close else "")
    packed = path.suffix.lower() == ".gz"
    kind = _KINDS.get((Path(path.stem) if packed else path).suffix.lower())
    if kind is None or (packed and kind == "Parquet"):
        raise DataError(
            str(path), _EXPECTED, f"the ending {''.join(path.suffixes[-2:])!r}", "convert the file"
        )
    if path.stat().st_size == 0:
        raise DataError(str(path), f"a {kind} file", "an empty file")
    return kind


def _scan(path: Path, kind: str, separator: str | None) -> pl.LazyFrame:
    if kind == "Parquet":
        return pl.scan_parquet(path, glob=False)
    if kind == "JSONL":
        return pl.scan_ndjson(path, infer_schema_length=None)
    header = _header(path)
    separator = separator if separator is not None else _sniff(path, header)
    if len(separator.encode()) != 1:
        raise DataError(str(path), "a separator of one character", repr(separator), "convert the file first")
    # Everything as text: guessing types from the first rows would turn "007" into 7 and fail on row 10,001.
    return pl.scan_csv(path, separator=separator, infer_schema=False, glob=False)


def _sniff(path: Path, header: str) -> str:
    if ".tsv" in path.suffixes or ".tab" in path.suffixes:
        return "\t"
    return max(",\t;|", key=header.count)


def _header(path: Path) -> str:
    """The first line of a text file, or its beginning."""
    with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
        line = file.readline(65536)
    try:
        header = codecs.getincrementaldecoder("utf-8")().decode(line)  # the end may be within a letter
        if "\0" not in header:
            return header
    except UnicodeDecodeError:
        pass
    wide = b"\0" in line
    raise DataError(
        str(path), "text in UTF-8", "another encoding, or no text",
        f"if it is text, convert it, as by iconv -f {'UTF-16' if wide else 'WINDOWS-1252'} -t UTF-8",
    )  # fmt: skip


def _listed(names: Iterable[str]) -> str:
    """Names of columns on one line, however many there are and whatever they are made of."""
    shown = [name if name.isprintable() else ascii(name) for name in names]
    cut = [name if len(name) <= LONGEST else f"{name[:LONGEST]}..." for name in shown[:MOST]]
    return ", ".join(cut) + (f" and {len(shown) - MOST} more" if len(shown) > MOST else "")


def no_clash(where: str, names: Sequence[str]) -> None:
    """Refuse two columns that would have the same name.

    Raises:
        DataError: Names the column.
    """
    for name in names:
        if names.count(name) > 1:
            raise DataError(
                where, "every column to have its own name", f"{name!r} twice", "rename one of them"
            )
