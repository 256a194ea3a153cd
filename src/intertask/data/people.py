"""What is known of people beside their events: age, country, plan. Knows nothing of events."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import polars as pl

from intertask.data import tables
from intertask.data.columns import MISSING
from intertask.data.ids import alike
from intertask.data.refusals import Refusals
from intertask.data.rows import Rows
from intertask.data.tables import Source
from intertask.errors import DataError
from intertask.options import arguments

_KINDS = (pl.String(), pl.Float32())
_USER = "user "  # the column of ids in a file of them, which no attribute may be called
Kind = Literal["category", "number"]


@dataclass(frozen=True)
class People:
    """Users, each once, and their attributes.

    Args:
        ids: Of the users, in file order.
        frame: Their attributes, row by row: categories as String, numbers as Float32; null where missing.
        report: Which rows of the source were refused, and why.
    """

    ids: pl.Series
    frame: pl.DataFrame
    report: Refusals

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def read(
        cls,
        source: Source,
        *,
        user: str = "user",
        categories: Sequence[str] | None = None,
        numbers: Sequence[str] | None = None,
        missing: Sequence[str] = MISSING,
        separator: str | None = None,
        encoding: str | None = None,
        strict: bool = False,
        name: str | None = None,
    ) -> "People":
        """People from a Parquet, CSV (any separator, also .gz) or JSONL file, or from a frame.

        Args:
            source: A path, a table of Polars (also lazy), pandas or Arrow, or a dict of columns.
            user: The column of the ids, which are those of the log. Of several rows with one id the first is
                kept.
            categories: The attributes that are one of a few words or codes. Without both this and `numbers`
                all other columns are read, and their values say which they are.
            numbers: The attributes that are numbers. NaN and blank mean missing; infinite ones are refused.
            missing: Words that stand for a missing value; blank always does.
            separator: The separator of the columns of a text file; found out if None.
            encoding: The encoding of a text file, as Python names it; None is UTF-8, or what its first bytes
                say.
            strict: Refuse the file for a single bad row.
            name: What reports and errors call the source; None takes its path, or "DataFrame".

        Raises:
            DataError: The file or a column is missing, or of the wrong kind; an attribute is the column of
                the ids; all rows are bad; a row is bad and `strict` is set.
        """
        user = arguments.word(user, "user", "the name of a column")
        if isinstance(source, str | Path):
            source = arguments.path(source, "source", "a file")
        table = tables.scan(source, separator, name, encoding)
        if not set(table.schema) - {user}:
            raise DataError(table.name, f"an attribute beside the column {user!r}", "none")
        for column in (*(categories or ()), *(numbers or ())):
            if column == user:
                raise DataError(f"{table.name} column {user!r}", "the ids alone", "an attribute, too")
        rows = Rows.read(
            source,
            categories=categories,
            numbers=numbers,
            group=user,
            missing=missing,
            separator=separator,
            encoding=encoding,
            strict=strict,
            name=name,
        )
        ids, report = rows.roles["group"], rows.report
        first = ids.is_first_distinct()
        if again := len(ids) - int(first.sum()):
            told = f"{again:,} rows are of a user who has one already: the first is kept"
            report = replace(report, notes=(*report.notes, told))
        inputs = rows.inputs.drop(user, strict=False)
        if _USER in inputs.columns:
            raise DataError(report.source, f"attributes of other names than {_USER!r}", "one", "rename it")
        return cls(ids.filter(first).rename("user"), inputs.filter(first), report)

    @property
    def columns(self) -> dict[str, Kind]:
        """The attributes, and what each is."""
        return {
            name: "category" if kind == pl.String else "number" for name, kind in self.frame.schema.items()
        }

    def of(self, ids: pl.Series) -> Rows:
        """One row for each id, in the order asked; of those that are not listed all is missing.

        Integers and their spelling are the same id.
        """
        known, asked = alike(self.ids, ids)
        listed = self.frame.with_columns(known.alias(_USER))
        found = asked.alias(_USER).to_frame().join(listed, on=_USER, how="left", maintain_order="left")
        return Rows(found.drop(_USER), pl.DataFrame(), pl.DataFrame(), self.report)

    def after(self, later: "People", columns: Sequence[str]) -> "People":
        """These people once more is known of some of them, or of others.

        Args:
            later: Who stands in place of those with the same id.
            columns: Their attributes that count; all others stay, or are missing.
        """
        known, told = alike(self.ids, later.ids)
        rows = self.of(later.ids).inputs.with_columns(later.frame.select(columns))
        others = ~known.is_in(told.implode())
        ids = pl.concat([known.filter(others), told]).rename("user")
        return People(ids, pl.concat([self.frame.filter(others), rows]), later.report)

    def lists(self, ids: pl.Series) -> pl.Series:
        """Which ids have a row, Boolean."""
        known, asked = alike(self.ids, ids)
        return asked.is_in(known.implode())

    def digest(self) -> str:
        """SHA-256 over ids and attributes."""
        text = f"{self.frame.schema!r}\n{self.table().write_csv()}"
        return hashlib.sha256(text.encode()).hexdigest()

    def table(self) -> pl.DataFrame:
        """Ids and attributes in one frame; `of_table` reads it back."""
        return self.frame.with_columns(self.ids.alias(_USER))

    @classmethod
    def of_table(cls, table: pl.DataFrame, where: str) -> "People":
        """The people of a frame that `table` made.

        Raises:
            DataError: It is another one.
        """
        ids = table[_USER] if _USER in table.columns else None
        frame = table.drop(_USER, strict=False)
        kinds = all(kind in _KINDS for kind in frame.schema.values())
        fits = ids is not None and ids.dtype == pl.String and not ids.has_nulls() and ids.is_unique().all()
        finite = all(
            frame[name].is_finite().all() for name, kind in frame.schema.items() if kind != pl.String
        )
        if ids is None or not frame.width or not (kinds and fits and finite):
            raise DataError(where, "people, each once, and their attributes", "another table")
        return cls(ids.rename("user"), frame, Refusals(where, len(ids), len(ids)))


def nobody(columns: Mapping[str, str], count: int) -> Rows:
    """Rows of people of whom nothing is known.

    Args:
        columns: Attributes, and whether each is a "category" or a "number".
        count: Of the people.
    """
    frame = pl.DataFrame(
        {name: [None] * count for name in columns},
        schema={name: pl.String() if kind == "category" else pl.Float32() for name, kind in columns.items()},
    )
    return Rows(frame, pl.DataFrame(), pl.DataFrame(), Refusals("people", count, count))
