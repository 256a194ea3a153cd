"""Nearest neighbours: rows are answered as those that are most alike, by the distance of their numbers."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.rows import Rows
from intertask.references import Answered, Question, ReferenceConfig
from intertask.references._table import Table

PIECE = 1_000  # rows that are compared at once


class Config(ReferenceConfig):
    """Options of the neighbours.

    Args:
        counts: Numbers of neighbours; the validation rows choose. Texts are answered as the nearest row.
        scaled: Tell each column in its standard deviations; of pictures, whose columns are alike, not.
    """

    kind: Literal["neighbours"] = "neighbours"
    counts: tuple[int, ...] = Field(default=(1, 3, 5, 9, 15, 25), min_length=1, max_length=50)
    scaled: bool = True

    def answers(self, question: Question) -> bool:
        """Whether there are cells to compare."""
        return question.rows.inputs.width > len(question.rows.files)

    def fit_one(self, training: Question, validation: Question, seed: int) -> Answered:
        """As many neighbours as the validation rows like best; a row more of each class is among them."""
        del seed
        table = Table(training.rows, scaled=self.scaled)

        def numbers(rows: Rows) -> NDArray[np.float32]:
            return np.asarray(table(rows).toarray(), np.float32)

        known = numbers(training.rows)
        if training.truth.dtype.kind == "O":
            return lambda rows: np.asarray(training.truth[_nearest(numbers(rows), known, 1)[:, 0]])
        most = min(max(self.counts), len(known))
        checked = _nearest(numbers(validation.rows), known, most)
        counts = [count for count in self.counts if count <= most]
        losses = [_loss(_told(training, checked[:, :count]), validation) for count in counts]
        best = counts[int(np.argmin(losses))] if losses else 1
        return lambda rows: _told(training, _nearest(numbers(rows), known, best))


def _nearest(asked: NDArray[np.float32], known: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """The nearest training rows of each, [n, count], nearest first; of the same distance the first."""
    squares = (known**2).sum(1)
    found = [np.zeros((0, count), np.int64)]
    for start in range(0, len(asked), PIECE):
        far = squares - 2 * asked[start : start + PIECE] @ known.T
        found.append(np.argsort(far, axis=1, kind="stable")[:, :count])
    return np.concatenate(found)


def _told(training: Question, nearest: NDArray[np.int64]) -> NDArray[np.float32]:
    truth = training.truth[nearest]
    if training.num_classes is None:
        return np.asarray(truth.astype(np.float64).mean(1), np.float32)
    votes = np.stack([(truth == own).sum(1) for own in range(training.num_classes)], axis=1) + 1.0
    shares: NDArray[np.float32] = (votes / votes.sum(1, keepdims=True)).astype(np.float32)
    return shares


def _loss(told: NDArray[np.float32], asked: Question) -> float:
    if asked.num_classes is None:
        return float(((told - asked.truth.astype(np.float64)) ** 2).sum())
    own = np.take_along_axis(told, asked.truth.astype(np.int64)[:, None], axis=1)
    return float(-np.log(own).sum())
