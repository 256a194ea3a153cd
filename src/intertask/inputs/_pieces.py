"""Texts of rows in pieces, and what of them has a place in a sequence."""

from collections.abc import Sequence

import polars as pl

from intertask.data.rows import Rows
from intertask.data.texts import TEXT
from intertask.texts.tokens import Unit, Words, clean


def texts(rows: Rows, columns: Sequence[str]) -> list[Words]:
    """The pieces of each row, those of several columns one behind the other."""
    parts = [
        rows.inputs[name] if rows.inputs.schema[name] == TEXT else rows.inputs[name].cast(TEXT)
        for name in columns
    ]
    whole = pl.select(pl.concat_list(part.fill_null([]) for part in parts)).to_series()
    return [words or [] for words in whole.to_list()]


def unit(texts: Sequence[Words]) -> Unit:
    """What the rows have parted: nothing, words, or characters."""
    lists = [words for words in texts if len(words) > 1]
    if len(lists) < len(texts) / 2:
        return "text"
    return "characters" if all(len(word) <= 1 for words in lists for word in words) else "words"


def parted(words: Words, unit: Unit) -> Words:
    """A text in one piece as those that train are parted."""
    if unit == "text" or len(words) != 1:
        return words
    return list(words[0]) if unit == "characters" else words[0].split()


def borders(rows: Rows) -> Sequence[object] | None:
    """What each row belongs to; None where nothing is said."""
    return rows.roles["group"].to_list() if "group" in rows.roles.columns else None


def alphabet(texts: Sequence[Words]) -> str:
    """The letters that occur."""
    return "".join(sorted({letter for words in texts for word in words for letter in clean(word)}))
