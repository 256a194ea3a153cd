"""What recommended lists are like, whatever was right: coverage, novelty, diversity, popularity share.

The lists come as integers [users, k], item numbers from best to worst; the k of "coverage@k" is the width
of that array, so a shorter k is a slice of it. -1 marks an empty place, where a user had fewer than k
candidates; empty places are left out of every figure.
"""

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from intertask.data.sequences import Sequences

Lists = NDArray[np.integer]

_CHUNK_NUMBERS = 2**21  # in the sums of item vectors that `diversity` holds at a time, at most


def users_of_items(training: Sequences) -> NDArray[np.int64]:
    """How many different users had each item, int64 [items]."""
    users = np.repeat(np.arange(training.num_users, dtype=np.int64), training.lengths)
    pairs = np.sort(users * training.num_items + training.items)  # np.unique hashes: thirty times slower
    first = np.diff(pairs, prepend=-1) != 0
    return np.bincount(pairs[first] % training.num_items, minlength=training.num_items)


def coverage(lists: Lists, num_items: int) -> float:
    """Share of the catalogue that stands in at least one list.

    Args:
        lists: Item numbers [users, k], -1 for an empty place.
        num_items: Size of the catalogue.

    Raises:
        ValueError: There is no list, every place is empty, or an item is not of the catalogue.
    """
    return len(np.unique(_places(lists, num_items))) / num_items


def novelty(lists: Lists, item_users: NDArray[np.integer], num_users: int) -> float:
    """Mean self-information of the recommended places in bits: -log2 of the share of users who had the item.

    The share is of training users, each counted once however often they had it, and is smoothed to
    (users of the item + 1) / (users + 1), so that an item nobody had is as novel as can be, not infinite.

    Args:
        lists: As for `coverage`.
        item_users: Integers [items], training users who had the item (`users_of_items`).
        num_users: Number of training users.

    Raises:
        ValueError: As for `coverage`, or an item has more users than there are.

    Source:
        Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems" (2010),
        "surprisal" in Materials and methods; the smoothing is ours.
    """
    if item_users.max(initial=0) > num_users:
        raise ValueError(f"item_users: expected at most {num_users} users, found {item_users.max()}")
    shares = (item_users + 1.0) / (num_users + 1.0)
    return float(-np.log2(shares)[_places(lists, len(item_users))].mean())


def diversity(lists: Lists, vectors: NDArray[np.floating] | scipy.sparse.csr_matrix) -> float:
    """1 - the mean cosine of two different items of a list, then the mean over the lists.

    An item whose vector is zero has cosine 0 with every other. Lists with fewer than two items have no pair
    and are left out.

    Args:
        lists: As for `coverage`.
        vectors: Item vectors [items, D], dense or sparse (for instance one column for each category).

    Raises:
        ValueError: As for `coverage`, or no list holds two items.

    Source:
        Ziegler et al., "Improving recommendation lists through topic diversification" (2005), section 3.3,
        as 1 - similarity and as a mean over pairs.
    """
    units, is_nonzero = _unit_rows(scipy.sparse.csr_matrix(vectors, dtype=np.float64))
    _places(lists, len(is_nonzero))
    lists = lists[(lists >= 0).sum(axis=1) > 1]
    if not len(lists):
        raise ValueError("lists: expected two items in at least one list, found one at most")
    numbers = np.cumsum(_membership(lists, len(is_nonzero)) @ np.diff(units.indptr))
    chunks = np.split(lists, np.flatnonzero(np.diff(numbers // _CHUNK_NUMBERS)) + 1)
    return sum(float(_distances(chunk, units, is_nonzero).sum()) for chunk in chunks) / len(lists)


def popularity_share(lists: Lists, item_events: NDArray[np.integer], top: float = 0.1) -> float:
    """Share of the recommended places taken by the most popular items.

    Args:
        lists: As for `coverage`.
        item_events: Integers [items], training events of each item.
        top: Which share of the items that have training events counts as most popular, rounded up. Of items
            that tie at the border those with the lower number count.

    Raises:
        ValueError: As for `coverage`, or no item has an event, or `top` is not above 0 and at most 1.
    """
    if not 0 < top <= 1:
        raise ValueError(f"top: expected above 0 and at most 1, found {top}")
    num_seen = int((item_events > 0).sum())
    if not num_seen:
        raise ValueError("item_events: expected at least one event, found none")
    # Rounding to nine places first: 7 % of 100 items are 7, though 0.07 * 100 is a hair above.
    num_popular = int(np.ceil(np.round(top * num_seen, 9)))
    is_popular = np.zeros(len(item_events), dtype=bool)
    is_popular[np.argsort(-item_events, kind="stable")[:num_popular]] = True
    return float(is_popular[_places(lists, len(item_events))].mean())


def _places(lists: Lists, num_items: int) -> NDArray[np.integer]:
    places = lists[lists >= 0]
    if lists.ndim != 2 or not len(places):
        raise ValueError(
            f"lists: expected recommended items [users, k], found shape {lists.shape}, none filled"
        )
    if lists.min() < -1 or lists.max() >= num_items:
        raise ValueError(f"lists: expected items below {num_items}, found {lists.min()} to {lists.max()}")
    return places


def _membership(lists: Lists, num_items: int) -> scipy.sparse.csr_matrix:
    is_filled = lists >= 0
    offsets = np.concatenate([[0], np.cumsum(is_filled.sum(axis=1))])
    ones = np.ones(int(offsets[-1]))
    return scipy.sparse.csr_matrix((ones, lists[is_filled], offsets), shape=(len(lists), num_items))


def _distances(
    lists: Lists, units: scipy.sparse.csr_matrix, is_nonzero: NDArray[np.float64]
) -> NDArray[np.float64]:
    # The sum over pairs is (|sum of v|^2 - sum of |v|^2) / 2: k vectors are added, not k^2 multiplied.
    members = _membership(lists, len(is_nonzero))
    sums = members @ units
    pair_cosines = np.asarray(sums.multiply(sums).sum(axis=1)).ravel() - members @ is_nonzero
    sizes = (lists >= 0).sum(axis=1)
    distances: NDArray[np.float64] = 1.0 - pair_cosines / (sizes * (sizes - 1))
    return distances


def _unit_rows(vectors: scipy.sparse.csr_matrix) -> tuple[scipy.sparse.csr_matrix, NDArray[np.float64]]:
    lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    is_nonzero = lengths > 0
    inverse = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=is_nonzero)
    return scipy.sparse.csr_matrix(scipy.sparse.diags(inverse) @ vectors), is_nonzero.astype(np.float64)
