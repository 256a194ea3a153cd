"""What a ranker's trees read of items beside all scores: evidence, age, and the numbers of the catalogue."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.catalogue import Catalogue
from intertask.data.counts import event_counts
from intertask.data.sequences import Sequences
from intertask.rankers import ITEM
from intertask.signals.fact import Fact

DAY = 86_400.0
LONGEST_NAME = 100  # of a column of the catalogue
MOST = 20  # columns of the catalogue


def facts(training: Sequences, catalogue: Catalogue | None, ids: pl.Series) -> dict[str, Fact]:
    """Facts by name, of training events and the catalogue alone.

    Evidence is the number of events; age counts days from an item's first event to the log's last one, rest
    those since its own last one, where the log has times. Missing numbers are as large as the mean.

    Args:
        training: The training events.
        catalogue: What there is; None where nothing is said of items.
        ids: Of the items, in their order.
    """
    counts_I = event_counts(training)
    found = {"events": np.log1p(counts_I)}
    if training.times is not None and training.num_events:
        found |= _ages(training.items, np.asarray(training.times), len(counts_I))
    if catalogue is not None:
        rows = catalogue.rows(ids)
        names = [name for name in catalogue.numbers if len(name) <= LONGEST_NAME]
        found |= {f"column {name}": _column(rows[name]) for name in names[:MOST]}
    return {ITEM + name: Fact(values.astype(np.float32)) for name, values in found.items()}


def _ages(
    items: NDArray[np.int32], times: NDArray[np.int64], num_items: int
) -> dict[str, NDArray[np.float64]]:
    """Logarithms of days; an item without an event is new, and has rested as long as the log is."""
    start, end = int(times.min()), int(times.max())
    first_I, last_I = np.full(num_items, end), np.full(num_items, start)
    np.minimum.at(first_I, items, times)
    np.maximum.at(last_I, items, times)
    return {"age": np.log1p((end - first_I) / DAY), "rest": np.log1p((end - last_I) / DAY)}


def _column(numbers: pl.Series) -> NDArray[np.float64]:
    """Signed logarithms, as ratios of prices matter."""
    values = numbers.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    values = np.sign(values) * np.log1p(np.abs(values))
    known = np.isfinite(values)
    mean = values[known].mean() if known.any() else 0.0
    return np.where(known, values, mean)
