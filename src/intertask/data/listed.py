"""A row for each user with lists of events becomes a row for each event."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import polars as pl

from intertask.data.refusals import SCHEMA
from intertask.data.tables import Table
from intertask.errors import DataError

UNEQUAL = "lists of different lengths"
_SAMPLE, _MOST = 1000, 0.9
_LISTS = r"^\s*(?:[\[(].*[\])]|-?\d+(?:(?:\s*[,;|]\s*|\s+)-?\d+)+)\s*$"


def refuse_lists(table: Table, item: str) -> None:
    """Refuse a column of lists where one item a row is meant.

    Raises:
        DataError: Says how to read it.
    """
    kind = table.require(item, "item")
    if isinstance(kind, pl.List | pl.Array):
        found = f"lists, the type {kind}"
    elif kind == pl.String:
        some = table.rows.select(pl.col(item)).head(_SAMPLE)
        share = table.collect(some.drop_nulls().select(pl.col(item).str.contains(_LISTS).mean())).item()
        if share is None or share < _MOST:
            return
        first = table.collect(some.drop_nulls().head(1)).item()
        found = f"lists such as {first[:60]!r}"
    else:
        return
    raise DataError(
        f"{table.name} column {item!r}",
        "one item a row",
        found,
        "say sequences = true, for a row with all events of a user, or false if each is one id",
    )


def exploded(table: Table, item: str, others: Iterable[str]) -> Table:
    """The table with a row for each element of its lists.

    A list is a list, or text with brackets or without and commas, semicolons, bars or blanks between.

    Args:
        table: A row for each user.
        item: The column with lists of items.
        others: Columns that may hold lists beside it; those of one value a row say it of each event.

    Raises:
        DataError: The column of items holds no lists.
    """
    lists = {item: _list(table, item)}
    length = lists[item].list.len().fill_null(0)
    for name in dict.fromkeys(others):
        if name in table.schema and name != item and _beside(table, name, length):
            lists[name] = _list(table, name)
    unequal = pl.any_horizontal(
        pl.lit(False), *(parts.list.len().fill_null(0) != length for parts in lists.values())
    )
    lengths = table.collect(table.rows.select(length.alias("length"), unequal.alias("unequal")))
    rows = table.rows.filter(~unequal & (length > 0)).with_columns(
        parts.alias(name) for name, parts in lists.items()
    )
    rows = rows.explode(*lists)
    text = any(table.schema[name] == pl.String for name in lists)
    damaged = _renumbered(table, lengths, item)
    return replace(
        table,
        rows=rows,
        schema=rows.collect_schema(),
        typed=table.typed and not text,
        damaged=damaged,
        readable=None,
    )


def _list(table: Table, name: str) -> pl.Expr:
    kind = table.require(name, "lists")
    if isinstance(kind, pl.List):
        return pl.col(name)
    if isinstance(kind, pl.Array):
        return pl.col(name).arr.to_list()
    if kind != pl.String:
        raise DataError(
            f"{table.name} column {name!r}",
            "lists, as lists or text",
            f"the type {kind}",
            "leave sequences out, if each row is one event",
        )
    text = pl.col(name).str.strip_chars(" \t\r\n[]()")
    marked = text.str.replace_all(r"\s*[,;|]\s*", "\0")
    parts = pl.when(text.str.contains(r"[,;|]")).then(marked).otherwise(text.str.replace_all(r"\s+", "\0"))
    filled = pl.when(text != "").then(parts).str.split("\0")
    return filled.list.eval(pl.element().str.strip_chars(" '\""))


def _beside(table: Table, name: str, length: pl.Expr) -> bool:
    """Whether a column holds lists as long as those of the items."""
    kind = table.schema[name]
    if isinstance(kind, pl.List | pl.Array):
        return True
    if kind != pl.String:
        return False
    alike = _list(table, name).list.len().fill_null(0) == length
    share = table.collect(table.rows.head(_SAMPLE).filter(length > 0).select(alike.mean())).item()
    return share is not None and share >= _MOST


def _renumbered(table: Table, lengths: pl.DataFrame, item: str) -> pl.DataFrame:
    """What is refused, in numbers of events: a damaged line and a row of unequal lists count as one."""
    total = lengths.height + table.damaged.height
    lost = np.zeros(total, bool)
    lost[table.damaged["row"].to_numpy().astype(np.int64) - 1] = True
    unequal = np.zeros(total, bool)
    unequal[~lost] = lengths["unequal"].to_numpy()
    counts = np.ones(total, np.int64)
    counts[~lost] = np.where(lengths["unequal"].to_numpy(), 1, lengths["length"].to_numpy())
    number = np.cumsum(counts)
    value = [f"the lists of row {row + 1}" for row in np.flatnonzero(unequal)]
    own = pl.DataFrame(
        {"row": number[unequal], "reason": UNEQUAL, "column": item, "value": value},
        schema_overrides=SCHEMA,
        strict=False,
    )
    earlier = table.damaged.with_columns(pl.Series("row", number[lost], pl.UInt32))
    return pl.concat([earlier, own.cast(table.damaged.schema)]).sort("row")
