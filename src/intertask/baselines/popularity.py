"""Popularity: what most have chosen, the same for everyone.

Also the counts, the interaction matrix and the tie-breaker that the other baselines start from.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from intertask.baselines import BaselineConfig
from intertask.data.sequences import Sequences


class Config(BaselineConfig):
    """Options of the popularity baseline.

    Args:
        count: "events" counts every event, "users" each user once for an item.
    """

    kind: Literal["popularity"] = "popularity"
    count: Literal["events", "users"] = "events"

    def fit(self, training: Sequences, seed: int) -> "PopularityRanker":
        """A ranker by the counts of the training events; `seed` plays no part."""
        if self.count == "events":
            return PopularityRanker(event_counts(training).astype(np.float32))
        counts = np.asarray(interactions(training).sum(axis=0)).ravel()
        return PopularityRanker(counts.astype(np.float32))


@dataclass(frozen=True)
class PopularityRanker:
    """Gives every history the same scores.

    Args:
        scores: float32 [items].
    """

    scores: NDArray[np.float32]

    def score(self, histories: Sequences) -> NDArray[np.float32]:
        """The same row for each history, [histories, items]."""
        check_catalogue(histories, len(self.scores))
        return np.tile(self.scores, (histories.num_users, 1))


def event_counts(training: Sequences) -> NDArray[np.int64]:
    """Events of each item, int64 [items]."""
    return np.bincount(training.items, minlength=training.num_items)


def tie_breaker(training: Sequences) -> NDArray[np.float32]:
    """Popularity squeezed into 0 to just below 1, float32 [items].

    Evaluation breaks ties against the model, and a baseline that counts leaves most of a catalogue at zero.
    Added in a size below the baseline's own differences, this decides only what would have been a tie.
    """
    counts = event_counts(training)
    most = int(counts.max(initial=0))
    return (counts / (most + 1)).astype(np.float32)


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


def check_catalogue(histories: Sequences, num_items: int) -> None:
    """Refuse histories over another catalogue than the baseline was fitted on.

    Raises:
        ValueError: The numbers of items differ.
    """
    if histories.num_items != num_items:
        raise ValueError(f"histories: expected a catalogue of {num_items} items, found {histories.num_items}")
