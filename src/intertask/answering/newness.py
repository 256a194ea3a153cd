"""How many places of a list items without a training event may have."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.sequences import Sequences
from intertask.data.windows import Windows

_MIXED = 2_654_435_761  # Knuth's multiplicative hash: neighbours fall far apart


def places(sequences: Sequences, windows: Windows, k: int, share: float) -> NDArray[np.int64]:
    """The most places that new items may have in each list of k, in the mean over histories share * k.

    What a whole number of places is too little or too much for is decided by the history itself, so that the
    same one has the same list whatever else is asked for.
    """
    ends = np.where(windows.lengths > 0, windows.stops - 1, 0)
    last = (
        sequences.items[ends].astype(np.uint64) if sequences.num_events else np.zeros(len(windows), np.uint64)
    )
    mixed = (last * np.uint64(1_000) + windows.lengths.astype(np.uint64)) * np.uint64(_MIXED)
    drawn = (mixed % np.uint64(2**32)).astype(np.float64) / 2**32
    return np.floor(share * k + drawn).astype(np.int64)


def bound(scores_BI: Tensor, new_I: NDArray[np.bool_], most_B: NDArray[np.int64]) -> None:
    """Leave the best of the new items of each row, so many of them, and no others; in place.

    Args:
        scores_BI: Of all items.
        new_I: Those that are new.
        most_B: How many of them a list may hold.
    """
    items_N = torch.from_numpy(np.flatnonzero(new_I))
    scores_BN = scores_BI[:, items_N]
    best_BK = scores_BN.topk(min(int(most_B.max(initial=0)), len(items_N)), dim=1).indices
    rank_BN = torch.full_like(scores_BN, len(items_N), dtype=torch.int64)
    rank_BN.scatter_(1, best_BK, torch.arange(best_BK.shape[1]).expand_as(best_BK))
    over_BN = rank_BN >= torch.from_numpy(most_B)[:, None]
    scores_BI[:, items_N] = scores_BN.masked_fill(over_BN, float("-inf"))
