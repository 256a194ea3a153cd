"""Which columns of a table are inputs, and whether of categories or of numbers, where nobody has said it."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from intertask.data.columns import as_text, is_text, trimmed
from intertask.data.tables import Table, is_pattern

# At most so many different whole numbers, each in so many rows, are codes of something; more count something.
FEW, ROWS_OF_EACH = 10, 10
BLURRED = 2  # times as many numbers as 32 bits tell apart are worth saying
MOST_WORDS = 0.02  # share of words in a column of numbers that is damage


@dataclass(frozen=True)
class Inputs:
    """Columns to read.

    Args:
        categories: One of a few words or codes each.
        numbers: Numbers.
        notes: What a reader should know.
    """

    categories: tuple[str, ...]
    numbers: tuple[str, ...]
    notes: tuple[str, ...] = ()


def guessed(table: Table, taken: Sequence[str], missing: Sequence[str]) -> Inputs:
    """All columns without another role.

    Text is a category unless it is numbers, and so are truth values and whole numbers of at most ten
    different values; columns of times and of lists are left out.

    Args:
        table: The rows.
        taken: Columns with another role.
        missing: Words for a missing value.
    """
    free = [name for name in table.schema if name not in taken]
    fit = [name for name in free if _holds_values(table.schema[name]) and not is_pattern(name)]
    left_out = [name for name in free if name not in fit]
    notes = (
        [f"left out {', '.join(map(repr, left_out))}: no words or numbers under a usable name"]
        if left_out
        else []
    )
    if not fit:
        return Inputs((), (), tuple(notes))
    counts = table.collect(table.rows.select(expr for name in fit for expr in _counts(table, name, missing)))
    kinds = {name: _kind(counts, name, table.schema[name]) for name in fit}
    notes += [note for name in fit if kinds[name] == "number" for note in _blurred(counts, name)]
    return Inputs(
        tuple(name for name in fit if kinds[name] == "category"),
        tuple(name for name in fit if kinds[name] == "number"),
        tuple(notes),
    )


def _holds_values(kind: pl.DataType) -> bool:
    return kind.is_numeric() or kind == pl.Boolean or is_text(kind)


def _counts(table: Table, name: str, missing: Sequence[str]) -> list[pl.Expr]:
    """How many values of a column are filled, no numbers, broken numbers, and different."""
    source = pl.col(name)
    kind = table.schema[name]
    text = trimmed(as_text(source, kind), missing)
    number = text.cast(pl.Float64, strict=False)
    return [
        text.is_not_null().sum().alias(f"filled {name}"),
        (text.is_not_null() & number.is_null()).sum().alias(f"words {name}"),
        (number != number.round()).sum().alias(f"fractions {name}"),
        text.approx_n_unique().alias(f"distinct {name}"),
        number.cast(pl.Float32).approx_n_unique().alias(f"distinct in 32 bits {name}"),
    ]


def _blurred(counts: pl.DataFrame, name: str) -> list[str]:
    """What to say of numbers, such as ids or moments, that differ by less than 32 bits tell apart."""
    exact, told = (int(counts[f"{what} {name}"].item()) for what in ("distinct", "distinct in 32 bits"))
    if told * BLURRED > exact:
        return []
    return [
        f"column {name!r}: about {exact:,} different numbers are read as {told:,}, as they are kept in 32 "
        "bits; subtract what they have in common, or name it among the categories"
    ]


def _kind(counts: pl.DataFrame, name: str, kind: pl.DataType) -> str:
    filled, words, fractions, distinct = (
        int(counts[f"{what} {name}"].item() or 0) for what in ("filled", "words", "fractions", "distinct")
    )
    if kind == pl.Boolean or (is_text(kind) and (words > MOST_WORDS * filled or not filled)):
        return "category"
    few = 0 < distinct <= FEW and distinct * ROWS_OF_EACH <= filled
    return "category" if few and not fractions and not kind.is_float() else "number"
