"""What a model of a log answers to rows of a user and an item each."""

from pathlib import Path
from typing import cast

import polars as pl

from intertask.data import tables
from intertask.data.columns import as_text
from intertask.data.tables import Source
from intertask.errors import DataError, RequestError
from intertask.recommender import Recommender

USER, ITEM = "user", "item"


def judge(model: Recommender, rows: object, task: str | None) -> pl.DataFrame:
    """The answers of response tasks for pairs of a user and an item, in their order.

    Args:
        model: Trained on a log.
        rows: A file or a table with the columns `user` and `item`, or a list of rows as {column: value}.
        task: Name of a response task; all if left out.

    Returns:
        Columns user, item, and one for each task.

    Raises:
        RequestError: The model has no such task, or a row names nobody, nothing, or somebody unknown.
    """
    known = model.recipe.tasks_that_judge()
    if not known or (task is not None and task not in known):
        raise RequestError(
            "task",
            f"a response task: {', '.join(known) or 'there is none'}",
            repr(task) if task is not None else "none",
            "" if known else "this model recommends: intertask recommend",
        )
    pairs = _pairs(rows)
    names = known if task is None else [task]
    told: list[pl.DataFrame] = []
    for user, own in pairs.with_row_index("place").group_by(USER, maintain_order=True):
        items = own[ITEM].unique(maintain_order=True)
        found = own
        for name in names:
            answers = model.predict(users=[str(user[0])], items=items.to_list(), task=name)
            by_item = answers.select(pl.col(ITEM).cast(pl.String), pl.col(name))
            found = found.join(by_item, on=ITEM, how="left", maintain_order="left")
        told.append(found)
    return pl.concat(told).sort("place").drop("place")


def _pairs(rows: object) -> pl.DataFrame:
    """Users and items as text, a row for each question."""
    if isinstance(rows, list):
        for number, row in enumerate(rows, 1):
            if set(row) != {USER, ITEM}:
                found = ", ".join(map(str, row))
                raise RequestError(f"row {number}", "user=USER,item=ITEM", found)
        rows = {name: [str(row[name]) for row in rows] for name in (USER, ITEM)}
    try:
        table = tables.scan(cast(Source, rows), name=None if isinstance(rows, str | Path) else "rows")
        for name in (USER, ITEM):
            table.require(name, f"the {name}s")
        pairs = table.collect(
            table.rows.select(as_text(pl.col(name), table.schema[name]).alias(name) for name in (USER, ITEM))
        )
    except DataError as error:
        raise RequestError(error.where, error.expected, error.found, error.hint) from None
    if pairs.is_empty() or pairs.null_count().sum_horizontal().item():
        raise RequestError(table.name, "a user and an item in every row", "a row without", "fill it")
    return pairs
