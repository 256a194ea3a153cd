"""What a set of sequences counts: the events of each item, who has had what. Knows nothing of order."""

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from intertask.data.sequences import Sequences


def event_counts(training: Sequences) -> NDArray[np.int64]:
    """Events of each item, int64 [items]."""
    return np.bincount(training.items, minlength=training.num_items)


def interactions(sequences: Sequences) -> scipy.sparse.csr_matrix:
    """1 where a user has had an item, however often; float32 [users, items], columns rising in each row."""
    matrix = scipy.sparse.csr_matrix(
        (np.ones(sequences.num_events, dtype=np.float32), sequences.items, sequences.offsets),
        shape=(sequences.num_users, sequences.num_items),
        copy=True,  # else the sorting below sorts the users' own events
    )
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix
