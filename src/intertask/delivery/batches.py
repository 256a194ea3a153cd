"""Answers to a file of rows of any length: read, answered and written batch by batch, whole or not at all."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from intertask.data import tables
from intertask.data.tables import Table
from intertask.delivery import answer_files
from intertask.errors import DataError, RequestError
from intertask.predictor import Predictor
from intertask.terminal.progress import bar

ROWS = 50_000  # in memory at once


def answer(
    model: Predictor,
    file: Path,
    out: Path,
    *,
    task: str | None = None,
    at_least: float | None = None,
    size: int = ROWS,
) -> int:
    """Answer the rows of a file in another file; the number of rows.

    Args:
        model: Trained.
        file: As `Predictor.predict` reads one.
        out: Ends in .parquet, .csv or .jsonl; appears when it is complete.
        task: As for `Predictor.predict`.
        at_least: The same.
        size: Rows of a batch.

    Raises:
        RequestError: A row cannot be answered; nothing is written.
        IntertaskError: The place cannot be written to.
    """
    table = _scanned(file)
    total = table.count()
    if total <= size or not table.damaged.is_empty():  # damaged lines are refused with all others at once
        return answer_files.write(out, model.predict(file, task=task, at_least=at_least))
    with bar("predicting", total) as move, answer_files.appended(out) as append:
        for start, batch in _batches(table, total, size):
            with warnings.catch_warnings():
                if start:  # what is to be said of the columns has been said
                    warnings.simplefilter("ignore")
                append(_answered(model, batch, start, file, task, at_least))
            move(batch.height)
    return total


def _scanned(file: Path) -> Table:
    try:
        return tables.scan(file)
    except DataError as error:
        raise RequestError(error.where, error.expected, error.found, error.hint) from None


def _batches(table: Table, total: int, size: int) -> Iterator[tuple[int, pl.DataFrame]]:
    for start in range(0, total, size):
        yield start, table.collect(table.rows.slice(start, size))


def _answered(
    model: Predictor, batch: pl.DataFrame, start: int, file: Path, task: str | None, at_least: float | None
) -> pl.DataFrame:
    try:
        return model.predict(batch, task=task, at_least=at_least)
    except RequestError as error:
        place = f"{file} after row {start:,}:" if start else str(file)
        where = (
            f"{place}{error.where.removeprefix('rows')}" if error.where.startswith("rows") else error.where
        )
        raise RequestError(where, error.expected, error.found, error.hint) from None
