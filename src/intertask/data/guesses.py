"""What the columns of an unknown file seem to hold, by their names and their values. Guesses, never facts."""

import gzip
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from intertask.data import tables, times
from intertask.data.column_names import named, says_something_else
from intertask.data.columns import read_columns
from intertask.data.plain_text import likely_encoding
from intertask.data.tables import Table
from intertask.errors import DataError

_ROWS = 100_000  # that are looked at
_BYTES = 1 << 22
_STRAY = 0.02  # share of lines in another encoding that are damage
_KNOWN_BEHAVIOURS = re.compile(
    r"view|click|klick|cart|basket|warenkorb|buy|purchase|kauf|bestell|transaction|order|like|fav|wish|share|play"
)


@dataclass(frozen=True)
class Field:
    """A column, as it seems.

    Args:
        name: Its name.
        kind: What its values are.
        distinct: How many different ones there are among those looked at.
        filled: Share of rows that have one.
        letters: Mean length as text.
        lists: Whether each value is a list.
    """

    name: str
    kind: str
    distinct: int
    filled: float
    letters: float
    lists: bool = False


@dataclass(frozen=True)
class Look:
    """A file that has been looked at.

    Args:
        path: The file.
        encoding: Of its text, where it is not UTF-8.
        table: All rows.
        sample: The first ones.
        fields: Its columns.
    """

    path: Path
    encoding: str | None
    table: Table
    sample: pl.DataFrame
    fields: tuple[Field, ...]

    def best(self, role: str, taken: Collection[str] = ()) -> str | None:
        """The column that most probably has a role; None where none does."""
        scored = [(self._score(role, field), field.name) for field in self.fields if field.name not in taken]
        score, name = max(scored, default=(0.0, ""), key=lambda pair: pair[0])
        return name if score > 0 else None

    def all(self, role: str, taken: Collection[str] = ()) -> list[str]:
        """The columns that may have a role, in the file's order."""
        return [f.name for f in self.fields if f.name not in taken and self._score(role, f) > 0]

    def field(self, name: str) -> Field:
        """A column.

        Raises:
            DataError: There is no such column.
        """
        self.table.require(name, "a role")
        return next(field for field in self.fields if field.name == name)

    def _score(self, role: str, field: Field) -> float:
        score = named(field.name, role)
        words = field.kind in ("word", "whole")
        if role in ("user", "item"):
            if field.kind in ("time", "fraction") or field.distinct < 2 or field.letters > 64:
                return 0.0
            other = says_something_else(field.name)
            return score - 1.5 * other + (2 if field.lists and score > 0 else 0)
        if role == "time":
            return (score + 1 if score else 0.5) if field.kind == "time" else 0.0
        if role == "behaviour":
            few = words and 2 <= field.distinct <= 50 and not named(field.name, "label") >= 3
            spelt = few and field.kind == "word"
            values = self.sample[field.name].drop_nulls().unique().to_list() if spelt else []
            known = sum(bool(_KNOWN_BEHAVIOURS.search(str(value).casefold())) for value in values)
            return (score + 2 * (known >= 2)) if few or (field.lists and score) else 0.0
        if role == "label":
            return score if field.kind in ("whole", "fraction") and 2 <= field.distinct <= 1000 else 0.0
        fits = field.distinct > 2 if role == "title" else True
        return score if fits and (field.kind == "word" or field.lists) else 0.0


def look(path: Path, separator: str | None = None, encoding: str | None = None) -> Look:
    """Look at a file.

    Raises:
        DataError: It cannot be read as a table.
    """
    encoding = encoding or guessed_encoding(path)
    table = tables.scan(path, separator, encoding=encoding)
    sample = table.collect(table.rows.head(_ROWS))
    if all(re.fullmatch(r"[\d.,:\s/-]*(?:_duplicated_\d+)?", name) for name in table.schema):
        raise DataError(
            str(path),
            "the names of the columns in the first line",
            f"{', '.join(table.schema)[:80]!r}",
            "write a line such as user,item,time above it",
        )
    if sample.is_empty():
        raise DataError(str(path), "rows", "a header alone" if table.schema else "nothing")
    return Look(path, encoding, table, sample, tuple(_field(table, sample[name]) for name in table.schema))


def guessed_encoding(path: Path) -> str | None:
    """The encoding that a text file is probably in; None for UTF-8, and where its first bytes say it."""
    if not path.is_file() or path.suffix.lower() in (".parquet", ".pq"):
        return None
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
            sample = file.read(_BYTES)
    except (OSError, EOFError, ValueError):
        return None
    if sample.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return None
    if b"\0" in sample[:1000]:
        return likely_encoding(sample[: 1 << 16])
    lines = sample.splitlines()[:-1] or [sample]
    foreign = [line for line in lines if not _is_utf8(line)]
    stray = len(foreign) <= max(1, _STRAY * len(lines)) and _is_utf8(lines[0])
    return None if stray else likely_encoding(b"\n".join(foreign[:2000]))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _field(table: Table, column: pl.Series) -> Field:
    lists = isinstance(column.dtype, pl.List | pl.Array)
    inner = column.explode() if lists else column
    text = inner.drop_nulls()
    if text.dtype == pl.String:
        text = text.str.strip_chars()
        text = text.filter(text != "")
    if inner.dtype.is_nested() or inner.dtype == pl.Binary or text.is_empty():
        return Field(column.name, "nothing", 0, 0.0, 0.0, lists)
    spelt = text.cast(pl.String, strict=False)
    kind = "word"
    if text.dtype.is_temporal() or (not lists and _are_times(table, column, spelt)):
        kind = "time"
    elif inner.dtype.is_integer() or _share(spelt, r"^-?\d+(?:\.0*)?$") == 1:
        kind = "whole"
    elif inner.dtype.is_float() or _share(spelt, r"^-?\d*\.?\d+(?:[eE]-?\d+)?$") == 1:
        kind = "fraction"
    elif _share(spelt, r"^-?\d+,\d+$") > 0.9:
        kind = "comma"
    elif not lists and _share(spelt, r"^\s*(?:\[.*\]|-?\d+(?:[ ,;|]+-?\d+)+)\s*$") > 0.9:
        lists = True
    letters = float(spelt.str.len_chars().to_numpy().mean())
    return Field(column.name, kind, text.n_unique(), len(text) / max(len(inner), 1), letters, lists)


def _are_times(table: Table, column: pl.Series, spelt: pl.Series) -> bool:
    """Whether nearly all values are read as times, and look like some."""
    number = spelt.head(1000).cast(pl.Float64, strict=False)
    if number.null_count() == 0:
        middle = float(number.to_numpy().mean()) if len(number) else 0.0
        if not (3e8 <= middle <= 4e9 or 3e11 <= middle <= 4e12 or 3e14 <= middle <= 4e15):
            return bool(named(column.name, "time") >= 2 and 20_000_101 <= middle <= 21_000_101)
        an_id = named(column.name, "user") or named(column.name, "item")
        return bool(named(column.name, "time") or (number.is_sorted() and not an_id))
    if not spelt.head(1000).str.contains(r"\d.*[-./:T ].*\d").all():
        return False
    part = column.head(1000).to_frame()
    trial = Table(table.name, part.lazy(), part.schema, typed=table.typed)
    try:
        _, kept, _ = read_columns(trial, [times.moment(trial, column.name)])
    except DataError as error:
        return "month" in str(error)  # a time, of which nobody can say which number is the day
    return kept.height >= 0.9 * len(part.drop_nulls())


def _share(text: pl.Series, pattern: str) -> float:
    return float(text.str.contains(pattern).to_numpy().mean())
