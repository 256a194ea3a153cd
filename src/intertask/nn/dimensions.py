"""The sizes that every part of a model is built for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Dimensions:
    """Sizes fixed by the recipe (width, length) and by the data (items, behaviours, clock).

    Args:
        width: Of every hidden vector, D.
        max_length: Longest history, in events.
        num_items: Items in the vocabulary, I.
        behaviours: Names of the behaviours, in the order of their codes.
        tasks: Names of the tasks, in the order of their states, T.
        has_times: Whether events carry seconds.
        item_counts: Training events of each item, int64 [I], by which negatives may be drawn; None
            where nothing is trained.
    """

    width: int
    max_length: int
    num_items: int
    behaviours: tuple[str, ...]
    tasks: tuple[str, ...]
    has_times: bool
    item_counts: NDArray[np.int64] | None = None
