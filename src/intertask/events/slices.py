"""Groups of targets that are worth a look of their own."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.data.windows import histories_before

LENGTHS = (1, 5, 10, 20, 50, 100, 200)
POPULARITY = ((0.0, 0.1, "top 10 %"), (0.1, 0.5, "next 40 %"), (0.5, 1.0, "last 50 %"))
SMALLEST = 10  # targets; below that a slice is anecdote


def slices(
    sequences: Sequences, targets: NDArray[np.int64], training: Sequences, seen: NDArray[np.bool_]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Name and members of each slice that has at least a few targets; "all" comes first.

    Args:
        sequences: All events.
        targets: int64 [n], places of the target events.
        training: The training events, by which items are popular or not.
        seen: bool [n], whether a target's item stands in its history.
    """
    yield "all", np.ones(len(targets), dtype=bool)
    for name, members in _candidates(sequences, targets, training, seen):
        if SMALLEST <= members.sum() < len(targets):
            yield name, members


def _candidates(
    sequences: Sequences, targets: NDArray[np.int64], training: Sequences, seen: NDArray[np.bool_]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    yield "visited", seen
    yield "unvisited", ~seen
    lengths = histories_before(sequences, targets).lengths
    for low, high in zip(LENGTHS, (*LENGTHS[1:], None), strict=True):
        inside = (lengths >= low) & (lengths < high if high is not None else True)
        yield f"history {low}+" if high is None else f"history {low}-{high - 1}", inside
    counts = np.bincount(training.items, minlength=sequences.num_items)
    # Equal counts keep the order of the vocabulary, so that the groups have their stated sizes.
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(order))
    place[order] = np.arange(len(order)) / len(order)
    share, trained = place[sequences.items[targets]], counts[sequences.items[targets]] > 0
    for bottom, top, name in POPULARITY:
        yield f"item popularity {name}", (share >= bottom) & (share < top) & trained
    yield "item unseen in training", ~trained
