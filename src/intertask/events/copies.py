"""Rows and accounts that stand in a log more than once, found by hashes of what users did.

Knows nothing of tasks and models. Users x items, or histories side by side, are never in memory.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.data.windows import Windows
from intertask.events.splits import Split

SHORTEST = 5  # events; many users share a few first steps without being the same person
BLOCK = 1 << 20  # events that are looked at at once
TABLE_BITS = 24


def copies(sequences: Sequences, split: Split, targets: NDArray[np.int64]) -> tuple[int, int]:
    """How many users and how many targets stand elsewhere in the log, item by item, behaviour by behaviour.

    Args:
        sequences: All events.
        split: Says which events train.
        targets: int64 [targets], places of the target events.

    Returns:
        The users who have another user's events, all of them and no others; and the targets that somebody
        else's training events hold with the whole history before them. Both of five events at least.
    """
    hashes = prefix_hashes(sequences)
    long = sequences.lengths >= SHORTEST
    _, sizes = np.unique(hashes[sequences.offsets[1:][long] - 1], return_counts=True)
    starts = sequences.offsets[sequences.users_of(targets)]
    asked = hashes[targets[targets - starts >= SHORTEST - 1]]
    # A target and its history are longer than the training events of their own user.
    known = np.isin(asked, _trained(asked, hashes, sequences.offsets, split.train_stop))
    return int(sizes[sizes > 1].sum()), int(known.sum())


def prefix_hashes(sequences: Sequences) -> NDArray[np.uint64]:
    """For each event a hash of its user's items and behaviours from the first one to it, uint64 [events].

    The sum of a hash for each place and what stands there: equal prefixes are equal, others are not.
    """
    hashes = np.empty(sequences.num_events, np.uint64)
    offsets = np.asarray(sequences.offsets)
    for users in _blocks(offsets):
        starts, stops = offsets[:-1][users], offsets[1:][users]
        begin, end = int(starts[0]), int(stops[-1])
        lengths, own = stops - starts, slice(begin, end)
        events = sequences.items[own].astype(np.uint64) * np.uint64(sequences.num_behaviours)
        events += sequences.behaviours[own]
        places = (np.arange(begin, end) - np.repeat(starts, lengths)).astype(np.uint64)
        sums = np.cumsum(_mixed(events, places))
        before = np.concatenate([np.zeros(1, np.uint64), sums])[starts - begin]
        hashes[own] = sums - np.repeat(before, lengths)
    return hashes


def _mixed(events: NDArray[np.uint64], places: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 over both numbers (Steele, Lea and Flood, OOPSLA 2014)."""
    mixed = events * np.uint64(0x9E3779B97F4A7C15) + places * np.uint64(0xD1B54A32D192ED03)
    mixed += np.uint64(0x2545F4914F6CDD1D)  # else the first item at the first place would be 0
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _trained(
    asked: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    train_stop: NDArray[np.int64],
) -> NDArray[np.uint64]:
    """Hashes of training prefixes, those alone that begin with the same bits as one of `asked`.

    Sorting all of them, as `isin` would, takes ten times as long.
    """
    shift = np.uint64(64 - TABLE_BITS)
    marked = np.zeros(1 << TABLE_BITS, dtype=bool)
    marked[asked >> shift] = True
    first = np.minimum(offsets[:-1] + SHORTEST - 1, train_stop)
    found = [np.empty(0, np.uint64)]
    for users in _blocks(offsets):
        some = hashes[Windows(first[users], train_stop[users]).places()]
        found.append(some[marked[some >> shift]])
    return np.concatenate(found)


def _blocks(offsets: NDArray[np.int64]) -> Iterator[slice]:
    """Users in stretches of about `BLOCK` events."""
    edges = np.searchsorted(offsets, np.arange(0, max(1, int(offsets[-1])), BLOCK))
    for first, last in zip(edges, [*edges[1:], len(offsets) - 1], strict=True):
        if first < last:
            yield slice(int(first), int(last))
