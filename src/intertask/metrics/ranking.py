"""Ranking metrics from ranks alone: HR, NDCG, MRR, Recall and MAP at k, for each query.

A query asks for one relevant item or for several. What comes in are the 1-based ranks of the relevant
items, never scores: how a list was ranked, masked and how its ties were broken is the evaluation's matter.
Queries with one target each, the usual case, need no offsets and cost one vector operation a metric.

Every function returns float64 [queries] in [0, 1], so that slices and bootstraps can follow.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Ranks = NDArray[np.integer]
Offsets = NDArray[np.integer]
Values = NDArray[np.float64]


def hit_rate(ranks: Ranks, k: int, offsets: Offsets | None = None) -> Values:
    """1 for a query with a relevant item among the first k, else 0.

    Args:
        ranks: Integers [targets], 1-based ranks of the relevant items, query by query. Relevant items that
            tie may share a rank, as they do when each is ranked against the model.
        k: Places that count, at least 1.
        offsets: Integers [queries + 1]; the targets of query q stand at offsets[q] to offsets[q + 1].
            None where each query has one target.

    Raises:
        ValueError: k or a rank is below 1, or a query has no target.
    """
    _check(ranks, k, offsets)
    hits = (ranks <= k).astype(np.float64)
    return hits if offsets is None else np.maximum.reduceat(hits, offsets[:-1])


def reciprocal_rank(ranks: Ranks, k: int, offsets: Offsets | None = None) -> Values:
    """1 / rank of the first relevant item, 0 where that lies beyond k; its mean is MRR@k.

    Args:
        ranks: As for `hit_rate`.
        k: As for `hit_rate`.
        offsets: As for `hit_rate`.

    Raises:
        ValueError: As for `hit_rate`.
    """
    _check(ranks, k, offsets)
    reciprocals = np.where(ranks <= k, 1.0 / ranks, 0.0)
    return reciprocals if offsets is None else np.maximum.reduceat(reciprocals, offsets[:-1])


def recall(ranks: Ranks, k: int, offsets: Offsets | None = None) -> Values:
    """Share of the query's relevant items among the first k.

    The denominator is the number of relevant items, not min(k, relevant): a query with more relevant items
    than k cannot reach 1.

    Args:
        ranks: As for `hit_rate`.
        k: As for `hit_rate`.
        offsets: As for `hit_rate`.

    Raises:
        ValueError: As for `hit_rate`.
    """
    _check(ranks, k, offsets)
    hits = (ranks <= k).astype(np.float64)
    return hits if offsets is None else np.add.reduceat(hits, offsets[:-1]) / np.diff(offsets)


def ndcg(ranks: Ranks, k: int, offsets: Offsets | None = None) -> Values:
    """Discounted gain of the first k over that of the best possible first k, gains 0 or 1.

    The ideal list is cut at k as well: it holds min(k, relevant) relevant items.

    Args:
        ranks: As for `hit_rate`.
        k: As for `hit_rate`.
        offsets: As for `hit_rate`.

    Raises:
        ValueError: As for `hit_rate`.

    Source:
        Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002), section 2.2, with
        the discount 1 / log2(1 + rank) from the first place on, as in recommendation and as in
        trec_eval, where theirs starts at the second.
    """
    _check(ranks, k, offsets)
    gains = np.where(ranks <= k, 1.0 / np.log2(1.0 + ranks), 0.0)
    if offsets is None:
        return gains
    ideals = np.cumsum(1.0 / np.log2(np.arange(2.0, k + 2.0)))
    ideal: Values = ideals[np.minimum(np.diff(offsets), k) - 1]
    return np.add.reduceat(gains, offsets[:-1]) / ideal


def average_precision(ranks: Ranks, k: int, offsets: Offsets | None = None) -> Values:
    """Precision at each relevant item among the first k, summed, over min(k, relevant); its mean is MAP@k.

    With this normalisation a perfect list scores 1 at every k. trec_eval and ranx divide by the number of
    relevant items instead, which differs where a query has more of them than k.

    Args:
        ranks: As for `hit_rate`.
        k: As for `hit_rate`.
        offsets: As for `hit_rate`.

    Raises:
        ValueError: As for `hit_rate`.
    """
    if offsets is None:  # one relevant item: its precision is its reciprocal rank
        return reciprocal_rank(ranks, k)
    _check(ranks, k, offsets)
    sizes = np.diff(offsets)
    sorted_ranks = ranks[np.lexsort((ranks, np.repeat(np.arange(len(sizes)), sizes)))]
    found = np.arange(len(ranks)) - np.repeat(offsets[:-1], sizes) + 1  # relevant items so far
    precisions = np.where(sorted_ranks <= k, found / sorted_ranks, 0.0)
    return np.add.reduceat(precisions, offsets[:-1]) / np.minimum(sizes, k)


_METRICS = {
    "hr": hit_rate,
    "ndcg": ndcg,
    "mrr": reciprocal_rank,
    "recall": recall,
    "map": average_precision,
}


def per_query(ranks: Ranks, ks: Sequence[int], offsets: Offsets | None = None) -> dict[str, Values]:
    """Every ranking metric at every k, as "ndcg@10" and the like, each float64 [queries].

    Args:
        ranks: As for `hit_rate`.
        ks: The k's.
        offsets: As for `hit_rate`.

    Raises:
        ValueError: As for `hit_rate`.

    Example:
        >>> per_query(np.array([1, 3]), [2])["hr@2"].tolist()
        [1.0, 0.0]
    """
    return {f"{name}@{k}": metric(ranks, k, offsets) for name, metric in _METRICS.items() for k in ks}


def means(values: Mapping[str, Values]) -> dict[str, float]:
    """The mean of each metric over the queries.

    Args:
        values: What `per_query` returned, or the same rows of each of its arrays.

    Raises:
        ValueError: There is no query.
    """
    for name, array in values.items():
        if not len(array):
            raise ValueError(f"{name}: expected at least one query, found none")
    return {name: float(array.mean()) for name, array in values.items()}


def _check(ranks: Ranks, k: int, offsets: Offsets | None) -> None:
    if k < 1:
        raise ValueError(f"k: expected at least 1, found {k}")
    if not np.issubdtype(ranks.dtype, np.integer):
        raise ValueError(f"ranks: expected integers, found {ranks.dtype}")
    if len(ranks) and ranks.min() < 1:
        raise ValueError(f"ranks: expected 1-based ranks, found {ranks.min()}")
    if offsets is None:
        return
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != len(ranks):
        raise ValueError(f"offsets: expected [0, ..., {len(ranks)}], found {offsets}")
    if np.diff(offsets).min() < 1:
        query = int(np.argmax(np.diff(offsets) < 1))
        raise ValueError(
            f"offsets: expected at least one target for each query, found none for query {query}"
        )
