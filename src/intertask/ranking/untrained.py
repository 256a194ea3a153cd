"""Items of a history that have no training event: each source reads them as the best of the history's others.

Somebody has just had them, which is all that is known of them. Read as any item that nobody has had, they
would stand below all that a source knows, however much repeats say for them.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.rankers import ITEM
from intertask.signals import Said, Signal, dense
from intertask.signals.repeats import Repeats

Items = NDArray[np.integer]


def lends(name: str, signals: Mapping[str, Signal]) -> bool:
    """Whether what a column says of trained items is lent to others: facts and repeats are not."""
    return not name.startswith(ITEM) and not isinstance(signals.get(name), Repeats)


def untrained(histories: Sequences, idle_I: NDArray[np.bool_]) -> Iterator[tuple[int, Items, Items]]:
    """The histories with both kinds of items: their place, the untrained items, and the others."""
    for row in np.unique(histories.users_of(np.flatnonzero(idle_I[histories.items]))).tolist():
        items = np.unique(histories.items[histories.offsets[row] : histories.offsets[row + 1]])
        own = idle_I[items]
        if not own.all():
            yield row, items[own], items[~own]


def lent(
    said: Mapping[str, Said], signals: Mapping[str, Signal], histories: Sequences, idle_I: NDArray[np.bool_]
) -> dict[str, Said]:
    """What is said, with the highest number of a history's trained items in the places of its others."""
    found = dict(said)
    rows = list(untrained(histories, idle_I))
    if not rows:
        return found
    for name in filter(lambda name: lends(name, signals), said):
        made_BI = dense(said[name], histories.num_users)
        made_BI = made_BI.copy() if made_BI is said[name] else made_BI
        for row, own, others in rows:
            made_BI[row, own] = made_BI[row, others].max()
        found[name] = made_BI
    return found
