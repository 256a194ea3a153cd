"""How one column is understood: ids, times, orders, numbers, words. Knows nothing of logs or catalogues.

Each function returns a `Column`: its value in every row, and the reason why a row cannot be used, or null.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from intertask.data.refusals import Refusals
from intertask.data.tables import Table
from intertask.errors import DataError
from intertask.progress import bar

# An integer as it is normally spelt: "7", not "007", "+7" or "7.0", which are other ids than 7.
_INTEGER = r"^(?:0|-?[1-9][0-9]{0,17})$"
_SECONDS_TO_2100 = 4_102_444_800
_NOTHING = pl.lit(None, dtype=pl.String)


@dataclass(frozen=True)
class Column:
    """One column of the result.

    Args:
        name: Its canonical name.
        source: Its name in the file.
        value: The value; refers to the file's column as `source NAME`.
        problem: Why the row cannot be used, or null.
    """

    name: str
    source: str
    value: pl.Expr
    problem: pl.Expr = field(default_factory=lambda: _NOTHING)


def read_columns(table: Table, columns: Sequence[Column]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that are good in every column, in file order, and the refused ones.

    The good rows also hold `row`, the number of the row in the file. The file is read in pieces, so that only
    what is kept is ever in memory.

    Raises:
        DataError: The file is damaged.
    """
    raw = table.rows.select(pl.col(column.source).alias(f"source {column.name}") for column in columns)
    raw = raw.with_row_index("row", offset=1)
    problems = [column.problem for column in columns]
    good = raw.filter(pl.all_horizontal(problem.is_null() for problem in problems)).select(
        "row", *(column.value.alias(column.name) for column in columns)
    )
    refused = raw.filter(pl.any_horizontal(problem.is_not_null() for problem in problems)).select(
        "row",
        pl.coalesce(problems).alias("reason"),
        pl.coalesce(
            pl.when(column.problem.is_not_null()).then(pl.lit(column.source)) for column in columns
        ).alias("column"),
        pl.coalesce(
            pl.when(column.problem.is_not_null()).then(
                as_text(_raw(column.name), table.schema[column.source])
            )
            for column in columns
        ).alias("value"),
    )
    with bar(f"reading {table.name}", None):
        kept, lost = (table.numbered(rows) for rows in table.collect_all([good, refused]))
    return kept, pl.concat([lost.cast({"row": pl.UInt32}), table.damaged]).sort("row")


def account(table: Table, columns: Sequence[Column], kept: int, refused: pl.DataFrame) -> Refusals:
    """The account of what `read_columns` found, against an independent count of the file's rows."""
    return Refusals(
        source=table.name,
        read=table.count(),
        kept=kept,
        rows=refused.cast({"row": pl.UInt32}),
        columns={column.name: column.source for column in columns},
    )


def identifier(table: Table, source: str, name: str, coded: bool = False) -> Column:
    """An id: integers stay integers, floats that are whole become integers, words stay words.

    A column of a file without types (CSV) is integer if every id in it is spelt as one.

    Args:
        table: The rows.
        source: The column of the file.
        name: What is identified, which is the name of the result.
        coded: Keep words as categoricals: four bytes a row, however long the id.

    Raises:
        DataError: No such column, or its type cannot hold ids.
    """
    kind, raw = table.require(source, name), _raw(name)
    if kind.is_integer() or kind.is_float():
        missing = raw.is_null() | raw.is_nan() if kind.is_float() else raw.is_null()
        value = raw.cast(pl.Int64, strict=False)
        whole = value.is_not_null() & (raw == value) if kind.is_float() else value.is_not_null()
        return Column(
            name, source, value, _first(missing, f"missing {name}", ~whole, f"{name} is not a whole number")
        )
    if not _is_text(kind):
        raise _wrong_type(table, source, kind, f"ids of the {name}s, as text or integers")
    text = raw.cast(pl.String)
    integers = not table.typed and _all_match(table, source, _INTEGER)
    plain = text.cast(pl.Categorical) if coded else text
    value = text.cast(pl.Int64, strict=False) if integers else plain
    return Column(name, source, value, _first(_blank(text), f"missing {name}"))


def word(table: Table, source: str, name: str, required: bool = False, coded: bool = False) -> Column:
    """Text, or a code as text; blank is missing.

    Raises:
        DataError: No such column, or its type cannot be written as text.
    """
    kind = table.require(source, name)
    if kind.is_nested() or kind == pl.Binary:
        raise _wrong_type(table, source, kind, f"text or codes for {name}")
    text = as_text(_raw(name), kind)
    value = pl.when(~_blank(text)).then(text)
    return Column(
        name,
        source,
        value.cast(pl.Categorical) if coded else value,
        _first(_blank(text), f"missing {name}") if required else _NOTHING,
    )


def words(table: Table, source: str, name: str, separator: str) -> Column:
    """A list of words, given as a list or as text with a separator; blank ones are left out.

    Raises:
        DataError: No such column, or its type holds no words.
    """
    kind = table.require(source, name)
    if isinstance(kind, pl.List | pl.Array):
        parts = _raw(name).cast(pl.List(pl.String))
    elif kind.is_nested() or kind == pl.Binary:
        raise _wrong_type(table, source, kind, f"words for {name}, as a list or text")
    else:
        parts = as_text(_raw(name), kind).str.split(separator)
    parts = parts.list.eval(pl.element().str.strip_chars())
    parts = parts.list.eval(pl.element().filter(pl.element().is_not_null() & (pl.element() != "")))
    return Column(name, source, parts.fill_null([]))


def number(table: Table, source: str, name: str) -> Column:
    """A number as Float32, null where it is missing or NaN; infinite and unreadable ones are refused.

    Raises:
        DataError: No such column, or its type holds no numbers.
    """
    kind, raw = table.require(source, name), _raw(name)
    if not (kind.is_numeric() or kind == pl.Boolean or _is_text(kind)):
        raise _wrong_type(table, source, kind, f"numbers for {name}")
    missing = _blank(raw.cast(pl.String)) if _is_text(kind) else raw.is_null()
    exact = (raw.cast(pl.String).str.strip_chars() if _is_text(kind) else raw).cast(pl.Float64, strict=False)
    value = exact.cast(pl.Float32, strict=False)  # too large for 32 bits: infinite
    problem = _first(
        ~missing & exact.is_null(), f"unreadable {name}", value.is_infinite(), f"infinite {name}"
    )
    return Column(name, source, pl.when(value.is_finite()).then(value), problem)


def position(table: Table, source: str, name: str = "order") -> Column:
    """A whole number that says which event came first.

    Raises:
        DataError: No such column, or its type holds no numbers.
    """
    kind, raw = table.require(source, name), _raw(name)
    if not (kind.is_numeric() or _is_text(kind)):
        raise _wrong_type(table, source, kind, "whole numbers for the order")
    missing = _blank(raw.cast(pl.String)) if _is_text(kind) else raw.is_null()
    exact = raw.cast(pl.String).str.strip_chars() if _is_text(kind) else raw
    value = exact.cast(pl.Int64, strict=False)
    whole = value.is_not_null() if not kind.is_float() else value.is_not_null() & (raw == value)
    return Column(
        name, source, value, _first(missing, "missing order", ~whole, "order is not a whole number")
    )


def moment(table: Table, source: str, name: str = "time", time_format: str | None = None) -> Column:
    """A time as naive UTC in microseconds; unreadable ones, and those outside 1970 to 2099, are refused.

    Understood are dates and datetimes (with a zone: converted; without: taken as UTC), ISO 8601 text (also
    with a space or slashes, without seconds, or a date alone), and numbers since 1970: seconds,
    milliseconds, microseconds or nanoseconds, whichever the size of the column's median says (below 1e11,
    1e14, 1e17). A column of eight-digit numbers such as 20140131 holds dates. Day-first and month-first
    text is not guessed at: give `time_format`.

    Raises:
        DataError: No such column, or its type holds no times.
    """
    kind, raw = table.require(source, name), _raw(name)
    missing = _blank(raw.cast(pl.String)) if _is_text(kind) else raw.is_null()
    if kind.is_float():
        missing |= raw.is_nan()
    if isinstance(kind, pl.Datetime):
        in_utc = raw.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if kind.time_zone else raw
        value = in_utc.cast(pl.Datetime("us"), strict=False)
    elif kind == pl.Date:
        value = raw.cast(pl.Datetime("us"), strict=False)
    elif kind.is_integer() or kind.is_float():
        value = _since_1970(table, source, raw, pl.col(source))
    elif not _is_text(kind):
        raise _wrong_type(table, source, kind, "times, as datetimes, text or numbers")
    elif time_format is None and _all_match(
        table, source, r"^\s*[-+]?[0-9.]+(?:[eE]\+?[0-9]+)?\s*$", share=0.5
    ):
        plain, column = (text.cast(pl.String).str.strip_chars() for text in (raw, pl.col(source)))
        value = _since_1970(
            table, source, plain.cast(pl.Float64, strict=False), column.cast(pl.Float64, strict=False)
        )
    else:
        value = _from_text(raw.cast(pl.String), time_format)
    ticks = value.dt.epoch("us")
    problem = _first(
        missing, "missing time", value.is_null(), "unreadable time",
        ticks < 0, "time before 1970", ticks >= _SECONDS_TO_2100 * 10**6, "time after 2099",
    )  # fmt: skip
    return Column(name, source, value, problem)


def unread(table: Table, source: str) -> Column:
    """A column as it is.

    Raises:
        DataError: No such column.
    """
    table.require(source, "a column to keep")
    return Column(source, source, _raw(source))


def _since_1970(table: Table, source: str, raw: pl.Expr, column: pl.Expr) -> pl.Expr:
    middle = table.collect(
        table.rows.select(column.cast(pl.Float64).filter(column.is_finite() & (column > 0)).median())
    ).item()
    middle = 0.0 if middle is None else float(middle)
    if 19_700_101 <= middle < 21_000_101:
        return _from_text(raw.cast(pl.Int64, strict=False).cast(pl.String), "%Y%m%d")
    unit = next((unit for limit, unit in ((1e11, 1), (1e14, 10**3), (1e17, 10**6)) if middle < limit), 10**9)
    # What lies far outside is capped before it is scaled, so that it cannot wrap around into the present.
    seconds = raw.cast(pl.Float64).clip(-unit, _SECONDS_TO_2100 * unit) / unit
    return (seconds * 1e6).round().cast(pl.Int64, strict=False).cast(pl.Datetime("us"))


def _from_text(text: pl.Expr, time_format: str | None) -> pl.Expr:
    if time_format is not None:
        return _naive(text.str.strip_chars(), time_format)
    plain = (
        text.str.strip_chars()
        .str.replace_all("/", "-", literal=True)
        .str.replace(r"[ T]+", "T")
        .str.replace(r"\s*(?:[zZ]|UTC)$", "+00:00")
        .str.replace_all(" ", "", literal=True)
    )
    forms = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f%z",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%M%z",
        "%Y-%m-%d",
    ]
    return pl.coalesce(_naive(plain, form) for form in forms)


def _naive(text: pl.Expr, form: str) -> pl.Expr:
    parsed = text.str.to_datetime(form, strict=False, time_unit="us", exact=True)
    return parsed.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if "%z" in form else parsed


def as_text(raw: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """A column as text; whole floats are spelt as integers, because that is what they were."""
    if kind.is_nested() or kind == pl.Binary:
        return pl.lit(str(kind))
    text = raw.cast(pl.String, strict=False)
    if not kind.is_float():
        return text
    whole = raw.cast(pl.Int64, strict=False)
    return pl.when(raw.is_nan()).then(None).when(raw == whole).then(whole.cast(pl.String)).otherwise(text)


def _raw(name: str) -> pl.Expr:
    return pl.col(f"source {name}")


def _is_text(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.String | pl.Categorical | pl.Enum | pl.Null)


def _blank(text: pl.Expr) -> pl.Expr:
    return text.is_null() | (text.str.strip_chars() == "")


def _first(*conditions_and_reasons: pl.Expr | str) -> pl.Expr:
    """The reason of the first condition that holds, or null."""
    conditions, reasons = conditions_and_reasons[::2], conditions_and_reasons[1::2]
    return pl.coalesce(
        pl.when(condition).then(pl.lit(reason)) for condition, reason in zip(conditions, reasons, strict=True)
    )


def _all_match(table: Table, source: str, pattern: str, share: float = 1.0) -> bool:
    """Whether at least this share of a text column's filled rows have a form; False if none is filled."""
    text = pl.col(source).cast(pl.String)
    found = table.collect(table.rows.select(text.filter(~_blank(text)).str.contains(pattern).mean())).item()
    return found is not None and found >= share


def _wrong_type(table: Table, source: str, kind: pl.DataType, expected: str) -> DataError:
    return DataError(f"{table.name} column {source!r}", expected, f"the type {kind}", "choose another column")
