"""Why an item is in a list: what its score loses when the model does not read one of the last events."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from intertask.service.loaded import Loaded, Prepared

EVENTS = 20  # of a history, that are left out one by one
NAMED = 3  # events for each item


def because(
    loaded: Loaded, one: Prepared, places: Sequence[int]
) -> tuple[tuple[tuple[str, float], ...], ...]:
    """For each item the items of the events that change its score most, and by how much.

    Args:
        loaded: The model.
        one: The question that was answered.
        places: Indices of the items of the list.

    Returns:
        For each item, pairs of an event's item and the change of the score without it, the greatest loss
        first.
    """
    read = loaded.read_steps(one)
    last = read[-EVENTS:]
    if not last or not places:
        return tuple(() for _ in places)
    histories = [read, *(read[: len(read) - n] + read[len(read) - n + 1 :] for n in range(len(last), 0, -1))]
    asked = [replace(one, steps=steps, seen=()) for steps in histories]
    scores_HK = loaded.scores(asked, np.array(places, np.int64))
    changes_EK = scores_HK[1:] - scores_HK[0]
    found = []
    for place in range(len(places)):
        order = np.argsort(changes_EK[:, place], kind="stable")[:NAMED]
        found.append(tuple((last[n][0], float(changes_EK[n, place])) for n in order.tolist()))
    return tuple(found)
