"""Content: items that the catalogue says the like of as of what was had."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.sequences import Sequences
from intertask.signals.likeness import Likeness
from intertask.sources import ReadsContent, check_catalogue
from intertask.sources._ties import tie_breaker

FAINTEST = 1e-3  # of a cosine, what popularity is worth


class Config(ReadsContent):
    """Options of the content source. It needs items that are made of content.

    Args:
        last: How many of the last events speak, all if 0.
    """

    kind: Literal["content"] = "content"
    last: int = Field(default=0, ge=0, le=1_000_000)

    def fit_content(self, training: Sequences, content_IF: NDArray[np.float32], seed: int) -> "ContentSource":
        """A source that knows what items are; `seed` plays no part."""
        return ContentSource(Likeness(content_IF, self.last), tie_breaker(training))


@dataclass(frozen=True)
class ContentSource:
    """Scores items by the cosine of their content with that of the history, where it has any.

    Popularity is added, scaled to a thousandth: it orders items of like content. An empty history, and one
    whose items have no content, gets popularity alone.

    Args:
        likeness: Of content.
        tie_breaker: float32 [items], 0 to below 1.
    """

    likeness: Likeness
    tie_breaker: NDArray[np.float32]

    def score(self, histories: Sequences) -> NDArray[np.float32]:
        """Cosines plus little popularity of every item for each history, [histories, items]."""
        check_catalogue(histories, len(self.tie_breaker))
        scores = np.empty((histories.num_users, len(self.tie_breaker)), np.float32)
        # Row by row: a product of matrices may differ in its last bit with the number of rows.
        for row, read_F in enumerate(self.likeness.read(histories)):
            scores[row] = self.likeness.content_IF @ read_F
        scores += np.float32(FAINTEST) * self.tie_breaker
        return scores

    def signal(self) -> Likeness:
        """The cosines."""
        return self.likeness
