"""Columns of texts: each a text in one piece, or in the words that whoever made the data has parted."""

import polars as pl

from intertask.data.columns import Column, as_text, raw_of, trimmed, wrong_type
from intertask.data.tables import Table

TEXT = pl.List(pl.String())


def text(table: Table, source: str, name: str) -> Column:
    """A column of texts, as a list of pieces: of one, or of its words where it is a list already.

    No word stands for a missing text, as "None" may be one; a blank text is missing. In a list nothing is
    missing: labels of words stand at their places.

    Raises:
        DataError: No such column, or its type holds no text.
    """
    kind = table.require(source, "texts")
    given = raw_of(name)
    if isinstance(kind, pl.List | pl.Array) and (kind.inner == pl.Null or _is_word(kind.inner)):
        words = given.cast(pl.List(pl.String)).list.eval(pl.element().fill_null(""))
        return Column(name, source, pl.when(words.list.len() > 0).then(words))
    if kind.is_nested() or kind == pl.Binary:
        raise wrong_type(table, source, kind, "texts, or lists of words")
    whole = trimmed(as_text(given, kind))
    return Column(name, source, pl.when(whole.is_not_null()).then(pl.concat_list(whole)))


def _is_word(kind: object) -> bool:
    return isinstance(kind, pl.String | pl.Categorical | pl.Enum)


def joined(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows whose texts are one text each, which can be compared."""
    lists = [name for name, kind in rows.schema.items() if kind == TEXT]
    return rows.with_columns(pl.col(lists).list.join("\0")) if lists else rows
