"""Edges of bins between quantiles. Knows nothing of columns and models."""

import numpy as np
from numpy.typing import NDArray

ROUNDS = 20  # after which what is left to share out is nothing that counts


def bin_edges(values: NDArray[np.float32], num_bins: int) -> NDArray[np.float32]:
    """Rising edges of bins that hold about as many values each.

    A value that more than its share of rows have, such as a gain of 0, counts as one bin's worth of them: by
    plain quantiles most edges would fall on it, and few would be left to tell what the other rows differ by.

    Args:
        values: At least one, finite.
        num_bins: Most bins; there are fewer where there are fewer different values.
    """
    different, counts = np.unique(values, return_counts=True)
    weights = counts.astype(np.float64)
    for _ in range(ROUNDS):
        weights = np.minimum(counts, weights.sum() / num_bins)
    reached = np.cumsum(weights) / weights.sum()
    inner = np.searchsorted(reached, np.linspace(0, 1, num_bins + 1)[1:-1])
    places = np.concatenate([[0], np.minimum(inner, len(different) - 1), [len(different) - 1]])
    edges: NDArray[np.float32] = different[np.unique(places)]
    return edges
