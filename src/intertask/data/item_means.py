"""What labels say of items without a model: their mean, drawn to that of all where an item has few."""

import numpy as np
from numpy.typing import NDArray

from intertask.data.sequences import Sequences

SHRINKAGE = 10.0  # labels like the mean of all that are added to each item's own


def item_means(labels: NDArray[np.generic], sequences: Sequences) -> tuple[float, NDArray[np.float64]]:
    """The mean of all labels, and that of each item; an item without labels has the mean of all.

    Args:
        labels: Of each event, NaN where it has none; one at least is known.
        sequences: The events.
    """
    values = labels.astype(np.float64)
    known = ~np.isnan(values)
    said, items = values[known], sequences.items[known]
    sums = np.bincount(items, said, sequences.num_items)
    counts = np.bincount(items, minlength=sequences.num_items)
    base = float(said.mean())
    return base, (sums + SHRINKAGE * base) / (counts + SHRINKAGE)
