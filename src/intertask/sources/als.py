"""ALS: matrix factorisation of implicit feedback by alternating least squares, from `implicit`."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.counts import interactions
from intertask.data.sequences import Sequences
from intertask.errors import RecipeError
from intertask.signals.fold_in import FoldIn
from intertask.sources import SourceConfig, check_catalogue
from intertask.sources._ties import tie_breaker


class Config(SourceConfig):
    """Options of the ALS baseline.

    Args:
        width: Numbers in the vector of a user or an item.
        regularisation: Weight of the squared vectors in the loss.
        confidence: Weight of an item that the user has had, where one that they have not weighs 1. Worth a
            search: the best was 3 on MovieLens-1M and 100 on the much sparser RetailRocket.
        num_iterations: How often users and items are solved in turn.
    """

    kind: Literal["als"] = "als"
    width: int = Field(default=64, ge=1, le=4_096)
    regularisation: float = Field(default=0.01, ge=0, le=1e9)
    confidence: float = Field(default=10.0, gt=0, le=1e9)
    num_iterations: int = Field(default=15, ge=1, le=10_000)

    def fit(self, training: Sequences, seed: int) -> "AlsSource":
        """A ranker by the product of user and item vectors; `seed` sets the vectors it starts from.

        Raises:
            RecipeError: The package `implicit` is not installed, or finds no solution with these options.
        """
        try:
            from implicit.cpu.als import AlternatingLeastSquares
            from implicit.recommender_base import ModelFitError
            from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
        except ImportError:
            raise RecipeError(
                "[baselines.als]",
                "the package implicit",
                "no such package",
                "run `pip install intertask[baselines]`",
            ) from None
        # implicit runs its own threads and warns of a BLAS that runs some as well: ten times slower.
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=self.width,
                regularization=self.regularisation,
                alpha=self.confidence,
                iterations=self.num_iterations,
                random_state=seed,
            )
            try:
                model.fit(interactions(training), show_progress=False)
            except ModelFitError as error:
                raise RecipeError(
                    "[baselines.als]", "options that ALS has a solution for", str(error), "regularise more"
                ) from None
        return AlsSource(
            model,
            model.item_factors.T.astype(np.float64),
            tie_breaker(training),
            self.regularisation,
            self.confidence,
        )


class Factorisation(Protocol):
    """The part of `implicit`'s interface that is used here."""

    def recalculate_user(
        self, userid: NDArray[np.int64], user_items: scipy.sparse.csr_matrix
    ) -> NDArray[np.float32]:
        """Vectors of users with these items, [users, D]."""
        ...


@dataclass(frozen=True)
class AlsSource:
    """Scores items by the product of their vector with the history's, solved anew for each history.

    An empty history has no vector and gets popularity, 0 to 1.

    Args:
        model: The fitted factorisation, which solves for the vectors of histories.
        item_vectors: float64 [D, items].
        tie_breaker: float32 [items].
        regularisation: As it was fitted.
        confidence: As it was fitted.

    Source:
        Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets" (2008), equations 3
        to 5, with `confidence` for their 1 + alpha r; conjugate gradients: Takács, Pilászy and Tikk (2011).
    """

    model: Factorisation
    item_vectors: NDArray[np.float64]
    tie_breaker: NDArray[np.float32]
    regularisation: float
    confidence: float

    def score(self, histories: Sequences) -> NDArray[np.float32]:
        """Preference of each history for every item, about 0 to 1, [histories, items]."""
        check_catalogue(histories, len(self.tie_breaker))
        users = self.model.recalculate_user(np.arange(histories.num_users), interactions(histories))
        # In doubles: a float32 product may differ in its last bit with the number of rows, and a metric
        # must not depend on how many histories are scored at a time.  [H, D] x [D, I] -> [H, I]
        products = users.astype(np.float64) @ self.item_vectors
        scores = products.astype(np.float32)
        scores[histories.lengths == 0] = self.tie_breaker
        return scores

    def signal(self) -> FoldIn:
        """The same products, in single precision, and nothing for an empty history."""
        vectors = np.ascontiguousarray(self.item_vectors.T, np.float32)
        return FoldIn(vectors, self.regularisation, self.confidence)
