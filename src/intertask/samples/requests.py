"""Rows of a caller, as a trained model reads them: by the columns and kinds of its training rows."""

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import cast

import polars as pl

from intertask.data import tables
from intertask.data.columns import MISSING
from intertask.data.rows import Rows
from intertask.data.series import Series
from intertask.data.series import read as read_series
from intertask.data.tables import Source
from intertask.data.texts import TEXT
from intertask.errors import DataError, RequestError
from intertask.inputs import Kind
from intertask.options import arguments

MOST = 1_000_000  # rows given one by one
EXPECTED = "a table, or a list of rows as {column: value}"
Cell = str | bytes | list[str] | None
NAMED = 5  # columns that a warning names


def read(given: object, columns: Mapping[str, Kind], missing: Sequence[str] = MISSING) -> Rows:
    """Rows to answer, in their order.

    Args:
        given: A path, a table (see `frames.Frame`), one row as {column: value}, or a list of them. A column
            that the model reads and that is not there is taken as missing, with a warning; others are left
            alone in a table, and refused in single rows, where they are slips.
        columns: What the model reads.
        missing: Words for a missing value.

    Raises:
        RequestError: There is no row, no known column, or a value that cannot be what its column holds; or
            a file cannot be read.
    """
    one_by_one = _listed(given)
    source = given if one_by_one is None else _table(one_by_one, columns)
    if isinstance(source, str | Path):
        source = arguments.path(source, "rows", "a file")
    name = None if isinstance(source, Path) else "rows"
    try:
        schema = tables.scan(cast(Source, source), name=name).schema
    except DataError as error:
        raise RequestError(error.where, error.expected, error.found, error.hint) from None
    given_columns = [column for column in columns if column in schema]
    if not given_columns:
        raise RequestError(
            name or str(source), f"some of the columns {_named(columns)}", _named(schema) or "none"
        )
    if absent := [column for column in columns if column not in schema]:
        for column in absent:
            if columns[column] == "file":
                raise RequestError(name or str(source), f"a column {column!r} of files", _named(schema))
        warnings.warn(
            f"{len(absent):,} of {len(columns):,} columns are missing and read as such: {_named(absent)}",
            stacklevel=3,
        )
    try:
        rows = Rows.read(
            cast(Source, source),
            categories=[column for column in given_columns if columns[column] == "category"],
            numbers=[column for column in given_columns if columns[column] == "number"],
            files=[column for column in given_columns if columns[column] == "file"],
            texts=[column for column in given_columns if columns[column] == "text"],
            missing=missing,
            strict=True,
            name=name,
        )
    except DataError as error:
        raise RequestError(error.where, error.expected, error.found, "mend it, or leave it out") from None
    kinds: dict[Kind, pl.DataType] = {"category": pl.String(), "number": pl.Float32(), "text": TEXT}
    nothing = (pl.lit(None, kinds[columns[column]]).alias(column) for column in absent)
    return replace(rows, inputs=rows.inputs.with_columns(*nothing).select(list(columns)))


def windows(given: object, series: Series) -> tuple[Rows, pl.DataFrame] | None:
    """The windows of a long table, and the group and the time of each; None of rows that are windows already.

    Raises:
        RequestError: The table cannot be cut into windows.
    """
    if _listed(given) is not None:
        return None
    source = arguments.path(given, "rows", "a file") if isinstance(given, str | Path) else given
    name = None if isinstance(source, Path) else "rows"
    try:
        schema = tables.scan(cast(Source, source), series.separator, name, series.encoding).schema
        if series.time not in schema or not set(series.columns) <= set(schema):
            return None
        rows = read_series(cast(Source, source), series, name, answered=False)
    except DataError as error:
        raise RequestError(error.where, error.expected, error.found, error.hint) from None
    time = rows.roles["time"].alias("time")
    return rows, pl.DataFrame([rows.inputs[series.group], time] if series.group else [time])


def as_source(given: object, where: str) -> Source:
    """A table, a file, or a list of rows as {column: value}, as whatever reads tables takes it.

    Raises:
        RequestError: It is none of them.
    """
    rows = _listed(given)
    if rows is None:
        return cast(Source, given)
    if not all(isinstance(row, Mapping) for row in rows):
        raise RequestError(where, EXPECTED, arguments.shown(given))
    names = dict.fromkeys(str(name) for row in rows for name in cast(Mapping[object, object], row))
    columns = {name: [cast(Mapping[object, object], row).get(name) for row in rows] for name in names}
    return {name: _alike(name, column) for name, column in columns.items()}


def _alike(name: str, column: list[object]) -> list[object]:
    """A column of one kind: of numbers, of lists, or else of text."""
    kinds = {type(value) for value in column if value is not None}
    if kinds <= {int, float} or kinds == {bool} or kinds <= {list, tuple}:
        return [
            float(value) if kinds == {int, float} and isinstance(value, int) else value for value in column
        ]
    return [_spelt(value, number, name) for number, value in enumerate(column, 1)]


def _listed(given: object) -> list[object] | None:
    """Single rows; None for a file or a table."""
    if isinstance(given, Mapping):
        values = list(given.values())
        scalar = all(isinstance(value, str) or not hasattr(value, "__len__") for value in values)
        return [given] if values and scalar else None
    if isinstance(given, str | Path | pl.DataFrame | pl.LazyFrame) or hasattr(given, "columns"):
        return None
    if hasattr(given, "__arrow_c_stream__") or hasattr(given, "__dataframe__"):
        return None
    if not isinstance(given, Iterable):
        return None
    rows = arguments.elements(given, "rows", EXPECTED)
    if len(rows) > MOST:
        raise RequestError("rows", f"{MOST:,} rows at most one by one", f"{len(rows):,}", "pass a table")
    if not rows:
        raise RequestError("rows", "one row at least", "none")
    return rows


def _table(rows: Sequence[object], columns: Mapping[str, Kind]) -> pl.DataFrame:
    """Single rows as a table of text, in which each value is as a file would have it."""
    told: dict[str, list[Cell]] = {}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise RequestError(f"rows row {number}", "a row as {column: value}", arguments.shown(row))
        for name, value in row.items():
            if name not in columns:
                close = get_close_matches(str(name), columns, n=1, cutoff=0.5)
                hint = f"did you mean {close[0]!r}?" if close else "leave it out"
                raise RequestError(
                    f"rows row {number}",
                    f"columns that the model reads: {_named(columns)}",
                    arguments.shown(name),
                    hint,
                )
            spelt = {"file": _path_or_bytes, "text": _text}.get(columns[name], _spelt)
            told.setdefault(name, [None] * len(rows))[number - 1] = spelt(value, number, name)
    schema: dict[str, pl.DataType] = {
        name: TEXT if columns[name] == "text" else pl.Binary() if _all_bytes(column) else pl.String()
        for name, column in told.items()
    }
    return pl.DataFrame(told, schema=schema)


def _text(value: object, number: int, name: str) -> list[str] | None:
    """A text in one piece, or its words."""
    if not isinstance(value, list | tuple):
        whole = _spelt(value, number, name)
        return None if whole is None or not whole.strip() else [whole]
    return [_spelt(word, number, name) or "" for word in value] or None


def _path_or_bytes(value: object, number: int, name: str) -> str | bytes | None:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    return _spelt(str(value) if isinstance(value, Path) else value, number, name)


def _all_bytes(column: Sequence[Cell]) -> bool:
    given = [isinstance(value, bytes) for value in column if value is not None]
    if any(given) and not all(given):
        raise RequestError("rows", "paths or bytes of files in one column", "both")
    return any(given)


def _spelt(value: object, number: int, name: str) -> str | None:
    where = f"rows row {number} column {name!r}"
    item = getattr(value, "item", None)
    if callable(item) and type(value).__module__.partition(".")[0] == "numpy":
        value = item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < arguments.EXACT:
        return str(int(value))
    if isinstance(value, int | float):
        return str(arguments.whole(value, where, -(2**63), 2**63)) if isinstance(value, int) else repr(value)
    return arguments.word(value, where, "text, a number, a truth value or None", longest=100_000)


def _named(columns: Iterable[str]) -> str:
    names = list(columns)
    told = ", ".join(names[:NAMED])
    return told if len(names) <= NAMED else f"{told} and {len(names) - NAMED} more"
