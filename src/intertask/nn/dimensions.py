"""The sizes that every part of a model is built for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Dimensions:
    """Sizes fixed by the recipe (width, length) and by the data (items, behaviours, clock, readers).

    Args:
        width: Of every hidden vector, D.
        max_length: Longest history, in events.
        tasks: Names of the tasks, in the order of their states, T.
        num_items: Items in the vocabulary, I; 0 where there are none.
        behaviours: Names of the behaviours, in the order of their codes.
        has_times: Whether events carry seconds.
        item_counts: Training events of each item, int64 [I], by which negatives may be drawn; None
            where nothing is trained.
        fields: What the reader of each input has found in the training rows, by the input's name; each input
            knows the class of its own.
        answers: What the answers of each task are, by its name, as its classes; each task knows the class of
            its own.
    """

    width: int
    max_length: int
    tasks: tuple[str, ...]
    num_items: int = 0
    behaviours: tuple[str, ...] = ()
    has_times: bool = False
    item_counts: NDArray[np.int64] | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    answers: Mapping[str, object] = field(default_factory=dict)
    described: object | None = None
