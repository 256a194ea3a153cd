"""What is popular now: events that count half as much after a while, for people of whom nothing is known.

How long that is depends on the log: days in a shop of the season, for ever where taste stays as it is. So it
is the half-life by which the events before the last tenth foretell that tenth best, or none.
"""

import numpy as np
from numpy.typing import NDArray

from intertask.data.sequences import Sequences

SHARES = (0.005, 0.015, 0.05, 0.15, 0.5)  # half-lives that are tried, of the log's span
JUDGED = 0.1  # of the events, the latest
FEWEST = 200  # events, or the choice is chance


def recent(stored: Sequences, counts_VI: NDArray[np.int64]) -> NDArray[np.float32]:
    """Events of each behaviour and item, older ones worth less, as many in all as there are, float32.

    Args:
        stored: All that is known of anybody.
        counts_VI: Events of all time by behaviour and item: the answer where the log has no times, where its
            events are not stored, or where older ones say as much.
    """
    half_life = chosen(stored)
    if half_life is None or stored.times is None:
        return counts_VI.astype(np.float32)
    worths = _worths(stored.times, int(stored.times.max()), half_life)
    cells = stored.behaviours.astype(np.int64) * stored.num_items + stored.items
    found = np.bincount(cells, worths, minlength=counts_VI.size)[: counts_VI.size].reshape(counts_VI.shape)
    # An item that was trained stays above one that was not, however long ago.
    found = found * (counts_VI.sum() / max(1e-12, found.sum())) + np.minimum(counts_VI, 1) * 1e-6
    return np.asarray(found, np.float32)


def chosen(stored: Sequences) -> float | None:
    """The half-life in seconds; None where all events count as much."""
    times = stored.times
    if times is None or stored.num_events < FEWEST:
        return None
    cut = int(np.quantile(times, 1 - JUDGED))
    before, after = times < cut, times >= cut
    span = cut - int(times.min())
    if span <= 0 or not before.any():
        return None
    counts_I = np.bincount(stored.items[after], minlength=stored.num_items)
    best, told = None, _foretold(np.ones(int(before.sum())), stored.items[before], counts_I)
    for share in SHARES:
        half_life = max(1.0, share * span)
        value = _foretold(_worths(times[before], cut, half_life), stored.items[before], counts_I)
        if value > told:
            best, told = half_life, value
    return best


def _worths(times: NDArray[np.integer], now: int, half_life: float) -> NDArray[np.float64]:
    return np.asarray(np.exp2((times.astype(np.float64) - now) / half_life))


def _foretold(worths: NDArray[np.float64], items: NDArray[np.integer], counts_I: NDArray[np.int64]) -> float:
    """Log-probability of later events by the worth of the earlier ones, each item once besides."""
    found_I = np.bincount(items, worths, minlength=len(counts_I))
    shares_I = found_I * (len(items) / max(1e-12, found_I.sum())) + 1
    return float(counts_I @ np.log(shares_I / shares_I.sum()))
