"""How one column is understood: ids, orders, numbers, words. Knows nothing of logs or catalogues.

Each function returns a `Column`: its value in every row, and the reason why a row cannot be used, or null.
"""

from collections.abc import Sequence

import polars as pl

from intertask.data.columns import (
    MISSING,
    Column,
    Problem,
    as_text,
    is_text,
    raw_of,
    trimmed,
    wrong_type,
)
from intertask.data.tables import Table

# An integer as it is normally spelt: "7", not "007" or "+7", which are other ids than 7; "7.0" is a 7 that
# was once a float.
_INTEGER = r"^(?:0|-?[1-9][0-9]{0,19})(?:\.0+)?$"
_ROUNDED = r"^-?[0-9]\.[0-9]+[eE]\+[0-9]+$"  # what a spreadsheet makes of 16 digits
_TRUTH = {"true": 1.0, "t": 1.0, "false": 0.0, "f": 0.0}  # as programs write it; PostgreSQL one letter
_EXACT = 2**53  # from here on a float stands for several integers


def identifier(
    table: Table, source: str, name: str, coded: bool = False, missing: Sequence[str] = MISSING
) -> Column:
    """An id: integers stay integers, floats that are whole become integers, words stay words.

    A column of a file without types (CSV) is integer if every id in it is spelt as one. Integers are
    Int64, or UInt64 where one of them needs it. White space and what else cannot be seen at the ends of a
    word is no part of it.

    Args:
        table: The rows.
        source: The column of the file.
        name: What is identified, which is the name of the result.
        coded: Keep words as categoricals: four bytes a row, however long the id.
        missing: Words for an id that is missing.

    Raises:
        DataError: No such column, or its type cannot hold ids.
    """
    kind, raw = table.require(source, name), raw_of(name)
    if kind.is_numeric():
        return _number_id(table, source, name, kind)
    if not is_text(kind):
        raise wrong_type(table, source, kind, f"ids of the {name}s, as text or integers")
    text, column = trimmed(raw, missing), trimmed(pl.col(source), missing)
    absent = text.is_null()
    if not table.typed:
        integers, longest, dotted = table.collect(
            table.rows.select(
                column.str.contains(_INTEGER).all().alias("integers"),
                column.str.len_bytes().max().alias("longest"),
                column.str.contains(".", literal=True).any().alias("dotted"),
            )
        ).row(0)
        if integers and longest is not None:
            held = pl.Int64() if longest < 19 else _integers(table, _whole(column) if dotted else column)
            if held is not None:
                value = (_whole(text) if dotted else text).cast(held, strict=False)
                lost = (value.cast(pl.Float64).abs() >= _EXACT) & text.str.contains(".", literal=True)
                reasons = [(lost, f"{name} of 2^53 or more as a float")] if dotted else []
                return Column(name, source, value, Problem(((absent, f"missing {name}"), *reasons)))
    value = text.cast(pl.Categorical) if coded else text
    rounded = text.str.contains(_ROUNDED)
    problem = Problem(((absent, f"missing {name}"), (rounded, f"{name} is a rounded number")))
    return Column(name, source, value, problem)


def _number_id(table: Table, source: str, name: str, kind: pl.DataType) -> Column:
    raw = raw_of(name)
    if kind.is_float():
        value = raw.cast(pl.Int64, strict=False)
        is_whole = value.is_not_null() & (raw == value)
        lost = raw.is_finite() & (raw.abs() >= (2**24 if kind == pl.Float32 else _EXACT))
        digits = f"{name} of 2^{24 if kind == pl.Float32 else 53} or more as a float"
        absent, other = raw.is_null() | raw.is_nan(), f"{name} is not a whole number"
        problem = Problem(((absent, f"missing {name}"), (lost, digits), (~is_whole, other)))
        return Column(name, source, value, problem)
    held = pl.Int64() if _fits(kind) else _integers(table, pl.col(source)) or pl.Int64()
    value = raw.cast(held, strict=False)
    is_whole = value.is_not_null() & (raw == value if kind.is_decimal() else pl.lit(True))
    problem = Problem(((raw.is_null(), f"missing {name}"), (~is_whole, f"{name} is not a whole number")))
    return Column(name, source, value, problem)


def _fits(kind: pl.DataType) -> bool:
    return kind.is_integer() and kind not in (pl.UInt64, pl.Int128, pl.UInt128)


def _whole(text: pl.Expr) -> pl.Expr:
    """Whole numbers that were once floats, without their ".0"."""
    return text.str.replace(r"\.0+$", "")


def _integers(table: Table, column: pl.Expr) -> pl.DataType | None:
    """The type that holds all integers of a column, Int64 before UInt64, or None."""
    missing = column.is_null()
    signed, unsigned = table.collect(
        table.rows.select(
            (column.cast(pl.Int64, strict=False).is_not_null() | missing).all().alias("signed"),
            (column.cast(pl.UInt64, strict=False).is_not_null() | missing).all().alias("unsigned"),
        )
    ).row(0)
    return pl.Int64() if signed else pl.UInt64() if unsigned else None


def word(
    table: Table,
    source: str,
    name: str,
    required: bool = False,
    coded: bool = False,
    missing: Sequence[str] = (),
) -> Column:
    """Text, or a code as text, without what cannot be seen at its ends; blank is missing.

    Raises:
        DataError: No such column, or its type cannot be written as text.
    """
    kind = table.require(source, name)
    if kind.is_nested() or kind == pl.Binary:
        raise wrong_type(table, source, kind, f"text or codes for {name}")
    text = trimmed(as_text(raw_of(name), kind), missing)
    return Column(
        name,
        source,
        text.cast(pl.Categorical) if coded else text,
        Problem(((text.is_null(), f"missing {name}"),)) if required else Problem(),
    )


def words(table: Table, source: str, name: str, separator: str) -> Column:
    """A list of words, given as a list or as text with a separator; blank ones are left out.

    Raises:
        DataError: No such column, or its type holds no words.
    """
    kind = table.require(source, name)
    if isinstance(kind, pl.List | pl.Array) and not kind.inner.is_nested():
        parts = raw_of(name).cast(pl.List(pl.String))
    elif kind.is_nested() or kind == pl.Binary:
        raise wrong_type(table, source, kind, f"words for {name}, as a list or text")
    else:
        parts = as_text(raw_of(name), kind).str.split(separator)
    parts = parts.list.eval(pl.element().str.strip_chars())
    parts = parts.list.eval(pl.element().filter(pl.element().is_not_null() & (pl.element() != "")))
    return Column(name, source, parts.fill_null([]))


def vector(table: Table, source: str, name: str, missing: Sequence[str] = MISSING) -> Column:
    """Numbers as a list of Float32, all rows as many as most of them; null where there are none.

    Given as a list, or as text of numbers between which spaces, commas or semicolons stand, in brackets or
    not.

    Raises:
        DataError: No such column, or its type holds no numbers.
    """
    kind, raw = table.require(source, name), raw_of(name)
    if isinstance(kind, pl.List | pl.Array) and (kind.inner.is_numeric() or kind.inner == pl.Null):
        given, own = raw.cast(pl.List(pl.Float64)), pl.col(source).cast(pl.List(pl.Float64))
    elif is_text(kind):
        given, own = _numbers_of(trimmed(raw, missing)), _numbers_of(trimmed(pl.col(source), missing))
    else:
        raise wrong_type(table, source, kind, f"lists of numbers for {name}")
    lengths = own.list.len().filter(own.list.len() > 0).mode().min()
    length = table.collect(table.rows.select(lengths.alias("length"))).item() or 0
    there = given.list.len() > 0
    value = given.list.eval(pl.element().cast(pl.Float32, strict=False))
    unreadable = there & given.list.eval(pl.element().is_null()).list.any()
    endless = there & ~value.list.eval(pl.element().is_finite()).list.all()
    problem = Problem(
        (
            (there & (given.list.len() != length), f"{name} has not {length} numbers, as most have"),
            (unreadable, f"unreadable {name}"),
            (endless, f"NaN or infinite {name}"),
        )
    )
    return Column(name, source, pl.when(there).then(value), problem)


def _numbers_of(text: pl.Expr) -> pl.Expr:
    parts = (
        text.cast(pl.String).str.strip_chars("[]() ").str.replace_all(r"[,;\s]+", " ").str.strip_chars(" ")
    )
    parts = pl.when(parts != "").then(parts).str.split(" ")
    return parts.list.eval(pl.element().cast(pl.Float64, strict=False))


# A comma before three digits may part thousands, unless zero or a thousand stands before it.
_DECIMAL_COMMA = (
    r"^[+-]?(?:(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),(?:[0-9]{1,2}|[0-9]{4,})"
    r"|(?:0|[0-9]{4,}|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]{3})$"
)


def number(table: Table, source: str, name: str, missing: Sequence[str] = MISSING) -> Column:
    """A number as Float32, null where it is missing or NaN; infinite and unreadable ones are refused.

    Decimal commas are read where a comma can be nothing else: `58,93` and `1.234,50`, but not `1,234`.
    True and false are 1 and 0, also as text (`true`, `False`, `t`).

    Raises:
        DataError: No such column, or its type holds no numbers.
    """
    kind, raw = table.require(source, name), raw_of(name)
    if not (kind.is_numeric() or kind == pl.Boolean or is_text(kind)):
        raise wrong_type(table, source, kind, f"numbers for {name}")
    given = trimmed(raw, missing) if is_text(kind) else raw
    exact = given.cast(pl.Float64, strict=False)
    if is_text(kind):
        comma = pl.when(given.cast(pl.String).str.contains(_DECIMAL_COMMA)).then(given.cast(pl.String))
        plain = comma.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        exact = exact.fill_null(plain.cast(pl.Float64, strict=False))
        truth = given.str.to_lowercase().replace_strict(_TRUTH, default=None, return_dtype=pl.Float64)
        exact = exact.fill_null(truth)
    value = exact.cast(pl.Float32, strict=False)  # too large for 32 bits: infinite
    unreadable = given.is_not_null() & exact.is_null()
    problem = Problem(((unreadable, f"unreadable {name}"), (value.is_infinite(), f"infinite {name}")))
    return Column(name, source, pl.when(value.is_finite()).then(value), problem)


def position(table: Table, source: str, name: str = "order", missing: Sequence[str] = MISSING) -> Column:
    """A whole number that says which event came first.

    Raises:
        DataError: No such column, or its type holds no numbers.
    """
    kind, raw = table.require(source, name), raw_of(name)
    if not (kind.is_numeric() or is_text(kind)):
        raise wrong_type(table, source, kind, "whole numbers for the order")
    given = trimmed(raw, missing) if is_text(kind) else raw
    value = (_whole(given) if is_text(kind) else given).cast(pl.Int64, strict=False)
    inexact = kind.is_float() or kind.is_decimal()
    whole = value.is_not_null() & (raw == value) if inexact else value.is_not_null()
    absent = raw.is_null() | raw.is_nan() if kind.is_float() else given.is_null()
    problem = Problem(((absent, "missing order"), (~whole, "order is not a whole number")))
    return Column(name, source, value, problem)


def unread(table: Table, source: str) -> Column:
    """A column as it is.

    Raises:
        DataError: No such column.
    """
    table.require(source, "a column to keep")
    return Column(source, source, raw_of(source))
