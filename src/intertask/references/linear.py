"""A linear model: logistic regression of classes, ridge regression of numbers; a column for each word."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from intertask.data.rows import Rows
from intertask.references import Answered, Question, ReferenceConfig
from intertask.references._table import Table
from intertask.references._texts import Texts


class Config(ReferenceConfig):
    """Options of the linear model.

    Numbers are told in standard deviations from the mean, a missing one as the mean, with a column that says
    so; each word that two training rows have is a column. Texts are told by TF-IDF of their words and pairs
    of words.

    Args:
        strengths: Strengths of the penalty on squared weights; the validation rows choose.
    """

    kind: Literal["linear"] = "linear"
    strengths: tuple[float, ...] = Field(default=(0.1, 1.0, 10.0, 100.0), min_length=1, max_length=50)

    def fit_one(self, training: Question, validation: Question, seed: int) -> Answered:
        """The model whose penalty the validation rows like best."""
        cells, texts = Table(training.rows), Texts(training.rows)

        def table(rows: Rows) -> sparse.csr_matrix:
            return sparse.hstack([cells(rows), *texts(rows)], format="csr")

        given, checked = table(training.rows), table(validation.rows)
        fitted = [self._one(strength, given, training) for strength in self.strengths]
        losses = [_loss(told(checked), validation) for told in fitted]
        best = fitted[int(np.argmin(losses))]
        return lambda rows: best(table(rows)).astype(np.float32)

    def _one(
        self, strength: float, given: sparse.csr_matrix, training: Question
    ) -> Callable[[sparse.csr_matrix], NDArray[np.float64]]:
        from sklearn.linear_model import LogisticRegression, Ridge

        if training.num_classes is None:
            model = Ridge(alpha=strength).fit(given, training.truth, sample_weight=training.weights)
            return model.predict  # type: ignore[no-any-return]
        model = LogisticRegression(C=1 / strength, max_iter=2_000, tol=1e-3)
        model.fit(given, training.truth, sample_weight=training.weights)
        return model.predict_proba  # type: ignore[no-any-return]


def _loss(told: NDArray[np.float64], asked: Question) -> float:
    if not len(told):
        return 0.0
    if asked.num_classes is None:
        return float((asked.weights * (told - asked.truth.astype(np.float64)) ** 2).sum())
    own = np.take_along_axis(told, asked.truth.astype(np.int64)[:, None], axis=1)[:, 0]
    return float(-(asked.weights * np.log(np.maximum(own, 1e-12))).sum())
