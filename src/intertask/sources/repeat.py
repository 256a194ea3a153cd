"""Repeat: what somebody has had before, the latest and most frequent first."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.sequences import Sequences
from intertask.signals import Signal
from intertask.signals.repeats import FAINTEST, Repeats, worths
from intertask.sources import SourceConfig, check_catalogue
from intertask.sources._ties import tie_breaker

MOST_APART = 8  # behaviours


class Config(SourceConfig):
    """Options of the repeat source.

    Args:
        half_life: Events after which one counts half as much. Few let the last item lead; with very many an
            item leads that was had most often.
        each_behaviour: Tell a ranker the events of each behaviour apart, too, of the most frequent eight.
    """

    kind: Literal["repeat"] = "repeat"
    half_life: float = Field(default=3.0, gt=0, le=1e6)
    each_behaviour: bool = False

    def fit(self, training: Sequences, seed: int) -> "RepeatSource":
        """A source that knows nothing of others but popularity; `seed` plays no part."""
        apart = _frequent(training) if self.each_behaviour else ()
        return RepeatSource(self.half_life, tie_breaker(training), apart)


def _frequent(training: Sequences) -> tuple[int, ...]:
    """The most frequent behaviours, if there are several."""
    counts = np.bincount(training.behaviours, minlength=1)
    found = [code for code in np.argsort(-counts, kind="stable").tolist() if counts[code]]
    return tuple(found[:MOST_APART]) if len(found) > 1 else ()


@dataclass(frozen=True)
class RepeatSource:
    """Scores the items of a history by their events, each worth half of one that is `half_life` later.

    Popularity, scaled below the faintest event, orders all other items. Where the history is masked no item
    is left that this source knows.

    Args:
        half_life: In events.
        tie_breaker: float32 [items], 0 to below 1.
        apart: Behaviours whose events a ranker is told apart, too.
    """

    half_life: float
    tie_breaker: NDArray[np.float32]
    apart: tuple[int, ...] = ()

    def score(self, histories: Sequences) -> NDArray[np.float32]:
        """Decayed counts plus tiny popularity of every item for each history, [histories, items]."""
        check_catalogue(histories, len(self.tie_breaker))
        scores: NDArray[np.float32] = worths(histories, self.half_life).toarray()
        scores += np.float32(FAINTEST) * self.tie_breaker
        return scores

    def signal(self) -> Repeats:
        """The decayed counts."""
        return Repeats(self.half_life)

    def signals_of(self) -> dict[int, Signal]:
        """The same of the events of one behaviour each, by its code."""
        return {code: Repeats(self.half_life, code) for code in self.apart}
