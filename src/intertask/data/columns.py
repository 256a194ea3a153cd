"""One column of a file: its value in every row, and why a row cannot be used. Knows nothing of meanings."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from intertask.data.refusals import Refusals
from intertask.data.tables import Table
from intertask.errors import DataError
from intertask.terminal.progress import bar

# What exports write where a value is missing. "NA" and "none" are not among them: Namibia and a real choice.
MISSING = (
    "NULL",
    "null",
    "Null",
    "(null)",
    "<null>",
    "\\N",
    "NaN",
    "nan",
    "NAN",
    "None",
    "N/A",
    "n/a",
    "#N/A",
    "<NA>",
    "undefined",
)
# White space, and what is as invisible as that: NUL, zero-width space, byte order and direction marks.
EDGES = "".join(map(chr, [*range(0x1D), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200C), 0x200E, 0x200F]))
EDGES += "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff\x1d\x1e\x1f"


@dataclass(frozen=True)
class Problem:
    """Why a row cannot be used.

    Conditions and reasons stand apart: to make a word for each of a million good rows costs more than to
    read them.

    Args:
        cases: Conditions, each with its reason; the first that holds says why.
    """

    cases: tuple[tuple[pl.Expr, str], ...] = ()

    def __add__(self, other: "Problem") -> "Problem":
        return Problem(self.cases + other.cases)

    @property
    def reason(self) -> pl.Expr:
        """The reason, or null."""
        reasons = [pl.when(condition).then(pl.lit(reason)) for condition, reason in self.cases]
        return pl.coalesce(pl.lit(None, dtype=pl.String), *reasons)


@dataclass(frozen=True)
class Column:
    """One column of the result.

    Args:
        name: Its canonical name.
        source: Its name in the file.
        value: The value; refers to the file's column as `source NAME`.
        problem: Why the row cannot be used.
        notes: What was found out about the column as a whole and a reader should know.
    """

    name: str
    source: str
    value: pl.Expr
    problem: Problem = Problem()
    notes: tuple[str, ...] = ()


def read_columns(table: Table, columns: Sequence[Column]) -> tuple[pl.Series, pl.DataFrame, pl.DataFrame]:
    """The rows that are good in every column, in file order, their numbers before them; and the refused ones.

    The file is read in pieces, and a second time where rows are refused.

    Raises:
        DataError: The file is damaged.
    """
    raw = table.rows.select(pl.col(column.source).alias(f"source {column.name}") for column in columns)
    raw = raw.with_row_index("row", offset=1)
    conditions = [condition for column in columns for condition, _ in column.problem.cases]
    is_bad = pl.any_horizontal(pl.lit(False), *conditions).fill_null(False)
    with bar(f"reading {table.name}", None):
        # Columns of the result may themselves be called "row" or "is bad".
        values = (column.value.alias(f"value {column.name}") for column in columns)
        read = table.collect(raw.select("row", is_bad.alias("is bad"), *values))
        good, refused = table.numbered(read), table.damaged
        if read["is bad"].any():
            good = good.filter(~read["is bad"])
            lost = table.numbered(table.collect(_refused(raw.filter(is_bad), table, columns)))
            refused = pl.concat([lost.cast({"row": pl.UInt32}), refused]).sort("row")
        numbers, good = good["row"], good.drop("row", "is bad")
        good.columns = [column.name for column in columns]
        return numbers, good, refused


def _refused(bad: pl.LazyFrame, table: Table, columns: Sequence[Column]) -> pl.LazyFrame:
    return bad.select(
        "row",
        pl.coalesce(column.problem.reason for column in columns).alias("reason"),
        pl.coalesce(
            pl.when(column.problem.reason.is_not_null()).then(pl.lit(column.source)) for column in columns
        ).alias("column"),
        pl.coalesce(
            pl.when(column.problem.reason.is_not_null()).then(
                as_text(raw_of(column.name), table.schema[column.source])
            )
            for column in columns
        ).alias("value"),
    )


def account(table: Table, columns: Sequence[Column], kept: int, refused: pl.DataFrame) -> Refusals:
    """The account of what `read_columns` found, against an independent count of the file's rows."""
    return Refusals(
        source=table.name,
        read=table.count(),
        kept=kept,
        rows=refused.cast({"row": pl.UInt32}),
        columns={column.name: column.source for column in columns},
        notes=tuple(note for column in columns for note in column.notes),
    )


def as_text(raw: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """A column as text; whole floats are spelt as integers, because that is what they were."""
    if kind.is_nested() or kind == pl.Binary:
        return pl.lit(str(kind))
    text = raw.cast(pl.String, strict=False)
    if not kind.is_float():
        return text
    whole = raw.cast(pl.Int64, strict=False)
    return pl.when(raw.is_nan()).then(None).when(raw == whole).then(whole.cast(pl.String)).otherwise(text)


def raw_of(name: str) -> pl.Expr:
    """The file's column that a canonical one is made of."""
    return pl.col(f"source {name}")


def is_text(kind: pl.DataType) -> bool:
    """Whether a type holds words."""
    return isinstance(kind, pl.String | pl.Categorical | pl.Enum | pl.Null)


def trimmed(text: pl.Expr, missing: Sequence[str] = ()) -> pl.Expr:
    """Text without what is invisible at its ends; null where nothing is left, or a word for nothing."""
    stripped = text.cast(pl.String).str.strip_chars(EDGES)
    absent = stripped.is_in(["", *missing])
    return pl.when(~absent).then(stripped)


def wrong_type(table: Table, source: str, kind: pl.DataType, expected: str) -> DataError:
    """The error for a column of a type that cannot hold what is looked for."""
    return DataError(f"{table.name} column {source!r}", expected, f"the type {kind}", "choose another column")
