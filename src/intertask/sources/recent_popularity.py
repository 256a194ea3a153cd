"""Recent popularity: what most have chosen of late, the same for everyone."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.sequences import Sequences
from intertask.sources import SourceConfig
from intertask.sources._ties import tie_breaker
from intertask.sources.popularity import PopularitySource


class Config(SourceConfig):
    """Options of the recent popularity baseline.

    Args:
        window: Share of the training events, the latest, that count. Where the log has no times, this share
            of each user's own events, the last ones, rounded up.
    """

    kind: Literal["recent_popularity"] = "recent_popularity"
    window: float = Field(default=0.1, gt=0, le=1)

    def fit(self, training: Sequences, seed: int) -> PopularitySource:
        """A ranker by the counts of the recent training events; `seed` plays no part.

        Items with the same recent count follow their popularity of all time.
        """
        recent = _recent(training, self.window)
        counts = np.bincount(training.items[recent], minlength=training.num_items)
        return PopularitySource((counts + tie_breaker(training)).astype(np.float32), float(recent.sum()))


def _recent(training: Sequences, window: float) -> NDArray[np.bool_]:
    if not training.num_events:
        return np.zeros(0, dtype=bool)
    if training.times is not None:
        num_older = training.num_events - int(np.ceil(window * training.num_events))
        # Events at the very moment of the cut all count: a tie must not depend on the order of the file.
        cut = int(np.partition(training.times, num_older)[num_older])
        return training.times >= cut
    kept = np.ceil(window * training.lengths).astype(np.int64)
    starts = training.offsets[1:] - kept
    return np.arange(training.num_events) >= np.repeat(starts, training.lengths)
