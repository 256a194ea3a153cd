"""References: what is fitted on the same rows of a table, to stand beside a model. One file a reference."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.rows import Rows
from intertask.options.config import PluginConfig

Answered = Callable[[Rows], NDArray[np.generic]]


@dataclass(frozen=True)
class Question:
    """Rows with what is asked of them.

    Args:
        rows: Those that have a label.
        truth: int64 codes [n]; 0 and 1 of several labels, [n, C]; float64 numbers [n]; or texts [n].
        num_classes: Of codes and of several labels; None of numbers.
        weights: float32 [n], how much each row counts.
    """

    rows: Rows
    truth: NDArray[np.generic]
    num_classes: int | None
    weights: NDArray[np.float32]

    def by_label(self) -> "list[Question]":
        """A question of two classes for each of several labels."""
        return [Question(self.rows, column.astype(np.int64), 2, self.weights) for column in self.truth.T]


class ReferenceConfig(PluginConfig):
    """The config of a reference."""

    def fit(self, training: Question, validation: Question, seed: int) -> Answered:
        """What answers rows: probabilities of the classes [n, C], or numbers [n].

        Args:
            training: What is learned from.
            validation: By which its options are chosen, and when to stop.
            seed: Of its random numbers.

        Raises:
            RecipeError: Its package is not installed.
        """
        if training.truth.ndim == 1:
            return self.fit_one(training, validation, seed)
        pairs = zip(training.by_label(), validation.by_label(), strict=True)
        fitted = [_two_classes(self, one, other, seed) for one, other in pairs]
        return lambda rows: np.stack([answer(rows)[:, 1] for answer in fitted], axis=1)

    def answers(self, question: Question) -> bool:
        """Whether it can answer such a question: of classes and numbers, if nothing else is said."""
        read = bool(question.rows.inputs.width > len(question.rows.files))
        return read and question.truth.dtype.kind != "O"

    @abstractmethod
    def fit_one(self, training: Question, validation: Question, seed: int) -> Answered:
        """The same for one label; all classes occur in training."""

    @property
    def note(self) -> str:
        """What a reader of its figures should know."""
        return ""


def _two_classes(config: ReferenceConfig, training: Question, validation: Question, seed: int) -> Answered:
    """Labels that no or every training row has are answered without looking."""
    share = float(training.truth.astype(np.float64).mean())
    if 0 < share < 1:
        return config.fit_one(training, validation, seed)
    return lambda rows: np.tile(np.array([1 - share, share], np.float32), (len(rows), 1))


@dataclass(frozen=True)
class Codes:
    """Categories as numbers, by the words of training rows: the most frequent is 0."""

    known: dict[str, dict[str, int]]

    @classmethod
    def of(cls, rows: Rows) -> "Codes":
        """Those of the training rows."""
        return cls({name: _codes(rows.inputs[name]) for name in rows.categories})

    def read(self, rows: Rows) -> NDArray[np.float64]:
        """Columns of numbers, then of codes, [n, columns]; NaN where one is missing or not known."""
        numbers = [rows.inputs[name].cast(pl.Float64).to_numpy() for name in rows.numbers]
        codes = [
            rows.inputs[name].replace_strict(words, default=None, return_dtype=pl.Float64).to_numpy()
            if words
            else np.full(len(rows), np.nan)
            for name, words in self.known.items()
        ]
        return np.stack([*numbers, *codes], axis=1)

    @property
    def sizes(self) -> list[int]:
        """Words of each column of categories."""
        return [len(words) for words in self.known.values()]


def _codes(column: pl.Series) -> dict[str, int]:
    counts = column.drop_nulls().value_counts().sort("count", column.name, descending=[True, False])
    return {word: place for place, word in enumerate(counts[column.name])}
