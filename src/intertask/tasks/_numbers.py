"""Labels that are numbers, and where those of the training rows lie."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.rows import Rows
from intertask.errors import DataError
from intertask.options.config import Config as Section

LARGEST = 1e30  # of a label; squares of larger ones leave single precision


class Spread(Section):
    """Where the labels of the training rows lie."""

    mean: float = Field(default=0.0, ge=-LARGEST, le=LARGEST)
    deviation: float = Field(default=1.0, gt=0, le=LARGEST)
    median: float = Field(default=0.0, ge=-LARGEST, le=LARGEST)
    absolute: float = Field(default=1.0, ge=0, le=LARGEST)  # mean distance from the median


def labels(column: str, rows: Rows, of: str) -> NDArray[np.float64]:
    """The numbers of a label, NaN where one is missing.

    Args:
        column: Of the label.
        rows: They.
        of: What asks for them, as "a regression".

    Raises:
        DataError: One is no number, or an infinite one.
    """
    given = rows.labels[column]
    where = f"{rows.report.source} column {given.name!r}"
    if isinstance(given.dtype, pl.List):
        raise DataError(where, "a number a row", "several labels", "use a category with several = true")
    values = given.cast(pl.Float64, strict=False)
    wrong = given.filter(given.is_not_null() & ~(values.abs() <= LARGEST).fill_null(False))
    if len(wrong):
        raise DataError(
            where,
            f"finite numbers of at most {LARGEST:g} as labels of {of}",
            f"{wrong[0]!r} in {len(wrong):,} of {len(given):,} rows",
            "name it among the missing words, or use a category",
        )
    return values.fill_null(np.nan).to_numpy()


def spread(name: str, column: str, rows: Rows, of: str = "a regression") -> Spread:
    """Mean and spread of the labels of a task.

    Args:
        name: Of the task.
        column: Of the label.
        rows: They.
        of: What asks for them.

    Raises:
        DataError: One is no number, or all are the same.
    """
    values = labels(column, rows, of)
    known = values[~np.isnan(values)]
    if not len(known) or known.min() == known.max():
        raise DataError(
            f"[tasks.{name}] label {column!r}",
            "two different numbers among the training rows",
            f"{known[0]:g} in all {len(known):,}" if len(known) else "none",
            "choose another label or split",
        )
    middle = float(np.median(known))
    return Spread(
        mean=float(known.mean()),
        deviation=float(known.std()),
        median=middle,
        absolute=float(np.abs(known - middle).mean()),
    )
