"""Last-item transition graph: what has followed the last item, and how often."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.signals.neighbours import Neighbours
from intertask.sources import SourceConfig, check_catalogue
from intertask.sources._ties import tie_breaker


class Config(SourceConfig):
    """Options of the transition baseline, which has none: a first-order Markov chain of counts."""

    kind: Literal["transition"] = "transition"

    def fit(self, training: Sequences, seed: int) -> "TransitionSource":
        """A ranker by the counts of direct successors; `seed` plays no part.

        An item that follows itself counts as well, for logs in which users come back to what they saw.
        """
        is_pair = np.ones(training.num_events, dtype=bool)
        is_pair[training.offsets[1:][training.lengths > 0] - 1] = False  # nothing follows a user's last event
        first = np.flatnonzero(is_pair)
        pairs = (training.items[first], training.items[first + 1])
        shape = (training.num_items, training.num_items)
        counts = scipy.sparse.coo_matrix((np.ones(len(first), dtype=np.float32), pairs), shape=shape)
        return TransitionSource(counts.tocsr(), tie_breaker(training))


@dataclass(frozen=True)
class TransitionSource:
    """Scores items by how often they followed the history's last item.

    Popularity in 0 to 1 is added: it orders the items that never followed, and those that followed equally
    often, and cannot overrule one whole count. An empty history gets popularity alone.

    Args:
        counts: float32 [items, items], sparse; row i holds how often each item directly followed item i.
        tie_breaker: float32 [items], 0 to below 1.
    """

    counts: scipy.sparse.csr_matrix
    tie_breaker: NDArray[np.float32]

    def score(self, histories: Sequences) -> NDArray[np.float32]:
        """Count plus squeezed popularity of every item for each history, [histories, items]."""
        check_catalogue(histories, len(self.tie_breaker))
        scores = np.tile(self.tie_breaker, (histories.num_users, 1))
        known = np.flatnonzero(histories.lengths)
        followers = self.counts[histories.items[histories.offsets[1:][known] - 1]]
        rows = np.repeat(known, np.diff(followers.indptr))
        scores[rows, followers.indices] += followers.data  # each place at most once: the counts are summed
        return scores

    def signal(self) -> Neighbours:
        """How often each item followed the last one."""
        return Neighbours.nearest(self.counts, 1, 1.0, counts=True)
