"""A file of any supported kind, or a frame, as one lazy table. Knows nothing of what the columns mean."""

import codecs
import difflib
import errno
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from intertask.data import frames
from intertask.data.csv_lines import mend_csv, runs_on, survey
from intertask.data.frames import Frame
from intertask.data.json_lines import mend_jsonl
from intertask.data.lines import NOT_UTF8, Mended
from intertask.data.nested import unfolded
from intertask.data.plain_text import PlainText, likely_encoding, plain
from intertask.data.refusals import SCHEMA
from intertask.data.scratch import Scratch
from intertask.errors import DataError

Source = str | Path | Frame

_KINDS = {
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".csv": "CSV",
    ".tsv": "CSV",
    ".tab": "CSV",
    ".txt": "CSV",
    ".jsonl": "JSONL",
    ".ndjson": "JSONL",
}
MOST, LONGEST = 40, 60  # columns that a message names, and letters of a name
_OTHER_KINDS = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods"), "save the sheet as CSV UTF-8"),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".bz2", ".xz", ".7z", ".zst"), "unpack the archive"),
    ".json": "write one object a line, and name the file .jsonl",
    "": "give the file the ending of its kind",
}
_STRAY, _STRAY_SHARE = 10, 0.01  # lines in another encoding that are damage; more are another encoding
_EXPECTED = "a file ending in .parquet, .csv, .tsv, .txt, .jsonl or .ndjson (text also with .gz)"


@dataclass(frozen=True)
class Table:
    """Rows that have not been read yet.

    Args:
        name: The file as the user wrote it, or "DataFrame".
        rows: The rows in file order.
        schema: Columns and their types.
        typed: Whether the source itself has types; in CSV everything is text until it is understood.
        damaged: Lines of the file that hold no row, as `Refusals` lists them; they are not in `rows`.
        readable: The number of `rows`, where they have been counted.
        files: Temporary files, which live as long as the table.
        separator: Between the columns of a CSV.
    """

    name: str
    rows: pl.LazyFrame
    schema: pl.Schema
    typed: bool
    damaged: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    readable: int | None = None
    files: tuple[Scratch | None, ...] = ()
    separator: str | None = None

    def require(self, column: str, role: str) -> pl.DataType:
        """The type of a column.

        Raises:
            DataError: There is no such column; names those that there are and the closest one.
        """
        refuse_names(self.name, [column])
        if f"{column}_duplicated_0" in self.schema:  # as Polars calls it, of a file with names
            raise DataError(self.name, f"one column {column!r} for {role}", "several", "rename the others")
        if column in self.schema:
            return self.schema[column]
        folded = {name.casefold(): name for name in self.schema}
        close = difflib.get_close_matches(column.casefold(), folded, n=1, cutoff=0.5)
        raise DataError(
            self.name,
            f"a column {column!r} for {role}",
            f"the columns {_listed(self.schema)}",
            f"did you mean {folded[close[0]]!r}?" if close else "name the column that holds it",
        )

    def count(self) -> int:
        """Number of rows, damaged ones included."""
        readable = self.readable
        if readable is None:
            readable = int(self.collect(self.rows.select(pl.len())).item())
        return readable + self.damaged.height

    def numbered(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows whose `row` counts those of `rows`, from 1, with the number that each has in the file."""
        if self.damaged.is_empty():
            return rows
        # The k-th damaged line stands before all rows from the (its number - k)-th on.
        before = self.damaged["row"].to_numpy().astype(np.int64) - np.arange(1, self.damaged.height + 1)
        places = rows["row"].to_numpy().astype(np.int64)
        shift = np.searchsorted(before, places - 1, side="right")
        return rows.with_columns(pl.Series("row", places + shift).cast(rows.schema["row"]))

    def collect(self, rows: pl.LazyFrame) -> pl.DataFrame:
        """Run a query over this table, in pieces, so that only its result is in memory.

        Raises:
            DataError: The file is damaged further down.
        """
        return self.collect_all([rows])[0]

    def share(self, condition: pl.Expr) -> float:
        """The share of the rows for which a condition holds, of those where it is not null; 0 of none."""
        found = self.collect(self.rows.select(condition.mean())).item()
        return 0.0 if found is None else float(found)

    def collect_all(self, queries: Sequence[pl.LazyFrame]) -> list[pl.DataFrame]:
        """Run several queries over this table, as `collect` does, reading it once for all of them."""
        with reading(self.name):
            return pl.collect_all(queries, engine="streaming")


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever a damaged or foreign file causes into one clear error."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                name,
                f"room for a plain copy in {tempfile.gettempdir()}",
                "a full disk",
                "free some, or set TMPDIR to a folder with more",
            ) from None
        message = str(error).strip().split("\n", maxsplit=1)[0].removesuffix(".") or type(error).__name__
        raise DataError(
            name,
            "a complete file of the kind its name says",
            message,
            "is it truncated, of another kind, or not UTF-8?",
        ) from None


def scan(
    source: Source, separator: str | None = None, name: str | None = None, encoding: str | None = None
) -> Table:
    """A source as a table.

    A text file is looked through once: lines that hold no row are taken out and listed in `damaged`.
    Objects within a column are taken apart: a column `track.id` for the part `id` of `track`.

    Args:
        source: A path, a frame (see `frames.Frame`), or a dict of columns.
        separator: What stands between the columns of a text file; None takes the most frequent of
            comma, tab, semicolon and bar in its first line.
        name: What errors call it; None takes the path, or "DataFrame".
        encoding: Of a text file, as Python names it; None is UTF-8, or what the file's first bytes say.

    Raises:
        DataError: The file is missing, a directory, empty, damaged as a whole or of an unknown kind.
    """
    table = _scan(source, separator, name, encoding)
    with reading(table.name):
        rows, schema = unfolded(table.rows, table.schema)
    return replace(table, rows=rows, schema=schema)


def _scan(source: Source, separator: str | None, name: str | None, encoding: str | None) -> Table:
    if not isinstance(source, str | Path):
        rows = frames.lazy(source, name or "DataFrame")
        try:
            return Table(name or "DataFrame", rows, rows.collect_schema(), typed=True)
        except (pl.exceptions.PolarsError, OSError) as error:
            found = str(error).strip().split("\n", maxsplit=1)[0]
            raise DataError(name or "DataFrame", "a query that can be run", found, "collect() it") from None
    path = Path(source)
    kind = _kind(path)
    name = name or str(path)
    with reading(name):
        if kind == "Parquet":
            rows = pl.scan_parquet(path.absolute(), glob=False)  # it takes a ~ for the home folder
            return Table(name, rows, rows.collect_schema(), typed=True)
        text = plain(path.absolute(), name, encoding)
        return _jsonl(text, name) if kind == "JSONL" else _csv(text, name, path.name, separator)


def _kind(path: Path) -> str:
    if path.is_dir():
        raise DataError(str(path), _EXPECTED, "a directory", "name one file in it")
    if not path.exists():
        siblings = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, siblings, n=1)
        raise DataError(str(path), "a file", "no such file", f"did you mean {close[0]!r}?" if close else "")
    if not path.is_file():  # a pipe would be waited for, a device never ends
        raise DataError(str(path), _EXPECTED, "a pipe or a device", "write what it gives into a file")
    packed = path.suffix.lower() == ".gz"
    ending = (Path(path.stem) if packed else path).suffix.lower()
    kind = _KINDS.get(ending)
    if kind is None or (packed and kind == "Parquet"):
        found = f"the ending {''.join(path.suffixes[-2:])!r}"
        raise DataError(str(path), _EXPECTED, found, _OTHER_KINDS.get(ending, "convert the file"))
    if path.stat().st_size == 0:
        raise DataError(str(path), f"a {kind} file", "an empty file")
    return kind


def _jsonl(text: PlainText, name: str) -> Table:
    def scanned(path: Path) -> Table:
        rows = pl.scan_ndjson(path, infer_schema_length=None)
        return _checked(Table(name, rows, rows.collect_schema(), typed=True))

    with text.path.open("rb") as file:
        if file.read(100).lstrip().startswith(b"["):
            raise DataError(name, "one JSON object a line", "a JSON array", "write each object on a line")
    if text.encoding != "utf-8-sig" or text.scratch is not None:  # Polars does not know the mark
        with suppress(pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return replace(scanned(text.path), files=(text.scratch,))
    return _mended(mend_jsonl(text.path), name, text, scanned)


def _csv(text: PlainText, name: str, file: str, separator: str | None) -> Table:
    header, skipped = _header(text.path, name)
    if header.startswith("sep=") and len(header.rstrip()) == 5:  # Excel's own, before the header
        separator, skipped = separator or header[4], skipped + 1
    separator = separator if separator is not None else sniff(file, header)
    if len(separator.encode()) != 1 or separator in '"\r\n\0':
        raise DataError(name, "a separator of one character", repr(separator), "convert the file first")

    def scanned(path: Path) -> Table:
        # Everything as text: types guessed from the first rows would turn "007" into 7 or fail further down.
        rows = pl.scan_csv(path, separator=separator, infer_schema=False, glob=False)
        return _checked(Table(name, rows, rows.collect_schema(), typed=False, separator=separator))

    ends = None if skipped else survey(text.path, separator, header.encode())
    if ends is not None:
        with suppress(pl.exceptions.PolarsError, pl.exceptions.PanicException):
            table = scanned(text.path)
            # With more line ends than rows there are cells of several lines.
            if ends <= table.count() + 1 or not runs_on(text.path, separator):
                return replace(table, files=(text.scratch,))
    return _mended(mend_csv(text.path, separator, skipped), name, text, scanned)


def _checked(table: Table) -> Table:
    """The table with its rows counted, after each of its cells has been read once.

    Raises:
        PolarsError: Some line cannot be read.
    """
    cells = table.rows.select(pl.len().alias("rows"), pl.all().null_count().name.prefix("nulls of "))
    return replace(table, readable=int(cells.collect(engine="streaming")["rows"].item()))


def _mended(mended: Mended, name: str, text: PlainText, scanned: Callable[[Path], Table]) -> Table:
    foreign = mended.damaged.filter(pl.col("reason") == NOT_UTF8)
    many = foreign.height > _STRAY and foreign.height > _STRAY_SHARE * mended.num_rows
    if many and foreign.height > _beyond_ascii(mended.file.path):
        raise DataError(
            name,
            f"text in {text.encoding}",
            f"{foreign.height:,} of {mended.num_rows:,} lines that are not",
            f"say encoding = {likely_encoding(mended.foreign) or 'cp1252'!r}",
        )
    if mended.damaged.height == mended.num_rows > 0:
        reason, value = mended.damaged.row(0)[1], mended.damaged.row(0)[3]
        raise DataError(
            name,
            "lines that hold rows",
            f"none in {mended.num_rows:,}; the first has {reason} ({value})",
            "is it of another kind, or has it another separator?",
        )
    return replace(scanned(mended.file.path), damaged=mended.damaged, files=(mended.file,))


def _beyond_ascii(path: Path) -> int:
    """How many lines speak for UTF-8: those that are, and that would be something else elsewhere."""
    with path.open("rb") as file:
        return sum(not line.isascii() for line in file)


def sniff(file: str, header: str) -> str:
    """The separator that a text file's name or first line says."""
    if {".tsv", ".tab"} & set(Path(file.lower()).suffixes):
        return "\t"
    return max(",\t;|", key=re.sub('"[^"]*"', "", header).count)


def _header(path: Path, name: str) -> tuple[str, int]:
    """The first line of a text file that is not blank, or its beginning, and how many stand before it."""
    blank = 0
    with path.open("rb") as file:
        while (line := file.readline(65536).removeprefix(codecs.BOM_UTF8)) and not line.strip():
            blank += 1
    if not line:
        raise DataError(name, "a CSV file", "blank lines alone")
    # The end may be within a letter; old Macs end a line in CR.
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(line)
    return re.split(r"[\r\n]", text, maxsplit=1)[0], blank


def _listed(names: Iterable[str]) -> str:
    """Names of columns on one line, however many there are and whatever they are made of."""
    shown = [name if name.isprintable() else ascii(name) for name in names]
    cut = [name if len(name) <= LONGEST else f"{name[:LONGEST]}..." for name in shown[:MOST]]
    return ", ".join(cut) + (f" and {len(shown) - MOST} more" if len(shown) > MOST else "")


def is_pattern(name: str) -> bool:
    """Whether Polars would take a name for a pattern of several columns."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def refuse_names(where: str, names: Sequence[str]) -> None:
    """Refuse two columns of one name, and names that Polars would take for a pattern of several columns.

    Raises:
        DataError: Names the column.
    """
    for name in names:
        if is_pattern(name):
            raise DataError(
                where, "the name of one column", f"{name!r}, which Polars reads as a pattern", "rename it"
            )
        if names.count(name) > 1:
            raise DataError(
                where, "every column to have its own name", f"{name!r} twice", "rename one of them"
            )
