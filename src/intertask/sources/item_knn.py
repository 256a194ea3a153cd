"""Item-kNN: items that the same users have had, from `implicit`."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.counts import interactions
from intertask.data.sequences import Sequences
from intertask.errors import RecipeError
from intertask.signals.neighbours import Neighbours, latest
from intertask.sources import SourceConfig, check_catalogue
from intertask.sources._ties import tie_breaker

UNIT = 0.05  # a similarity that says something


class Config(SourceConfig):
    """Options of the item-kNN baseline.

    Args:
        similarity: How two items' users are compared; "tfidf" and "bm25" weigh users with many items less.
        num_neighbours: Most similar items that each item keeps, itself not counted.
        last: How many of the last events speak, all if 0; an item speaks once, however often it was had.
    """

    kind: Literal["item_knn"] = "item_knn"
    similarity: Literal["cosine", "tfidf", "bm25"] = "tfidf"
    num_neighbours: int = Field(default=100, ge=1, le=10_000)
    last: int = Field(default=0, ge=0, le=1_000_000)

    def fit(self, training: Sequences, seed: int) -> "ItemKnnSource":
        """A ranker by the summed similarities to the history; `seed` plays no part.

        Raises:
            RecipeError: The package `implicit` is not installed.
        """
        try:
            from implicit import nearest_neighbours
        except ImportError:
            raise RecipeError(
                "[baselines.item_knn]",
                "the package implicit",
                "no such package",
                "run `pip install intertask[baselines]`",
            ) from None
        items_users = interactions(training).T
        # tfidf and bm25 give a weight of 0 to a user who had all items but one; an item with such users
        # alone has no direction, and dividing by its length of 0 is neither a warning nor a neighbour here.
        with np.errstate(invalid="ignore", divide="ignore"):
            weighted = {
                "cosine": lambda: nearest_neighbours.normalize(items_users),
                "tfidf": lambda: nearest_neighbours.normalize(nearest_neighbours.tfidf_weight(items_users)),
                "bm25": lambda: nearest_neighbours.bm25_weight(items_users, 1.2, 0.75),
            }[self.similarity]()
        # Not implicit's CosineRecommender and its like: they hand on a COO matrix and warn of it.
        model = nearest_neighbours.ItemItemRecommender(K=self.num_neighbours + 1)  # with the item itself
        model.fit(scipy.sparse.csr_matrix(weighted.T), show_progress=False)
        similarity = scipy.sparse.csr_matrix(model.similarity, dtype=np.float32)
        similarity.data[~np.isfinite(similarity.data)] = 0.0
        return ItemKnnSource(similarity, _small(similarity) * tie_breaker(training), self.last)


@dataclass(frozen=True)
class ItemKnnSource:
    """Scores items by their summed similarity to the items of the history, each counted once.

    Popularity is added, scaled to a hundredth of the smallest similarity: it orders the many items that are
    nobody's neighbour and those that tie. An empty history gets popularity alone. An item is similar to
    itself, so where the history is not masked, its items stand high.

    Args:
        similarity: float32 [items, items], sparse; row i holds the neighbours of item i.
        tie_breaker: float32 [items].
        last: How many of the last events speak; all if 0.

    Source:
        Deshpande and Karypis, "Item-based top-N recommendation algorithms" (2004), sections 4.1 and 4.2,
        without their row normalisation, which `implicit` does not offer.
    """

    similarity: scipy.sparse.csr_matrix
    tie_breaker: NDArray[np.float32]
    last: int = 0

    def score(self, histories: Sequences) -> NDArray[np.float32]:
        """Summed similarity plus small popularity of every item for each history, [histories, items]."""
        check_catalogue(histories, len(self.tie_breaker))
        # [H, I] x [I, I] -> [H, I]
        scores: NDArray[np.float32] = (interactions(latest(histories, self.last)) @ self.similarity).toarray()
        scores += self.tie_breaker
        return scores

    def signal(self) -> Neighbours:
        """The similarities to the items of the history, or to the last ones."""
        return Neighbours.nearest(self.similarity, self.last, UNIT)


def _small(similarity: scipy.sparse.csr_matrix) -> np.float32:
    positive = similarity.data[similarity.data > 0]
    return np.float32(0.01 * positive.min()) if len(positive) else np.float32(1.0)
