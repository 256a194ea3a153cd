"""Repeat: what somebody has had before, the latest and most frequent first."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.sequences import Sequences
from intertask.signals.repeats import FAINTEST, Repeats, worths
from intertask.sources import SourceConfig, check_catalogue
from intertask.sources._ties import tie_breaker


class Config(SourceConfig):
    """Options of the repeat source.

    Args:
        half_life: Events after which one counts half as much. Few let the last item lead; with very many an
            item leads that was had most often.
    """

    kind: Literal["repeat"] = "repeat"
    half_life: float = Field(default=3.0, gt=0, le=1e6)

    def fit(self, training: Sequences, seed: int) -> "RepeatSource":
        """A source that knows nothing of others but popularity; `seed` plays no part."""
        return RepeatSource(self.half_life, tie_breaker(training))


@dataclass(frozen=True)
class RepeatSource:
    """Scores the items of a history by their events, each worth half of one that is `half_life` later.

    Popularity, scaled below the faintest event, orders all other items. Where the history is masked no item
    is left that this source knows.

    Args:
        half_life: In events.
        tie_breaker: float32 [items], 0 to below 1.
    """

    half_life: float
    tie_breaker: NDArray[np.float32]

    def score(self, histories: Sequences) -> NDArray[np.float32]:
        """Decayed counts plus tiny popularity of every item for each history, [histories, items]."""
        check_catalogue(histories, len(self.tie_breaker))
        scores: NDArray[np.float32] = worths(histories, self.half_life).toarray()
        scores += np.float32(FAINTEST) * self.tie_breaker
        return scores

    def signal(self) -> Repeats:
        """The decayed counts."""
        return Repeats(self.half_life)
