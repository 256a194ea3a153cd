"""Popularity: what most have chosen, the same for everyone."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from intertask.data.counts import event_counts, interactions
from intertask.data.sequences import Sequences
from intertask.signals.constant import Constant
from intertask.sources import SourceConfig, check_catalogue


class Config(SourceConfig):
    """Options of the popularity baseline.

    Args:
        count: "events" counts every event, "users" each user once for an item.
    """

    kind: Literal["popularity"] = "popularity"
    count: Literal["events", "users"] = "events"

    def fit(self, training: Sequences, seed: int) -> "PopularitySource":
        """A ranker by the counts of the training events; `seed` plays no part."""
        if self.count == "events":
            return PopularitySource(event_counts(training).astype(np.float32))
        counts = np.asarray(interactions(training).sum(axis=0)).ravel()
        return PopularitySource(counts.astype(np.float32))


@dataclass(frozen=True)
class PopularitySource:
    """Gives every history the same scores.

    Args:
        scores: float32 [items].
        half_life: New events after which these count half as much; always as much if 0.
    """

    scores: NDArray[np.float32]
    half_life: float = 0.0

    def score(self, histories: Sequences) -> NDArray[np.float32]:
        """The same row for each history, [histories, items]."""
        check_catalogue(histories, len(self.scores))
        return np.tile(self.scores, (histories.num_users, 1))

    def signal(self) -> Constant:
        """The same counts."""
        return Constant(self.scores, self.half_life)
