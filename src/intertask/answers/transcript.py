"""A text for each row, measured by how many of its words and letters are wrong.

Rates are errors of all rows by words, or letters, of all rows, as is usual: a long text counts more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import polars as pl

from intertask.answers import Answer, Array, Floats
from intertask.errors import RecipeError


@dataclass(frozen=True)
class Transcript(Answer):
    """Truth and prediction are texts, object [rows]."""

    monitor = "-character_error_rate"
    reported = quality = "-word_error_rate"
    metrics = ("word_error_rate", "character_error_rate")

    def measure(self, truth: Array, predicted: Array) -> dict[str, float]:
        """Word and character error rate."""
        return {name: float(values.mean()) for name, values in self.means(truth, predicted).items()}

    def qualities(self, truth: Array, predicted: Array) -> Floats:
        """Wrong words of each row by the words of a row on average, negated."""
        return -self.means(truth, predicted)["word_error_rate"]

    def means(self, truth: Array, predicted: Array) -> dict[str, Floats]:
        """Errors of each row by the words, or letters, of a row on average: their mean is the rate."""
        if not len(truth):
            return {}
        wrong, sizes = _counts(truth, predicted, by_word=True), _sizes(truth, by_word=True)
        wrong_letters, letters = _counts(truth, predicted, by_word=False), _sizes(truth, by_word=False)
        return {
            "word_error_rate": wrong / max(1e-9, sizes.mean()),
            "character_error_rate": wrong_letters / max(1e-9, letters.mean()),
        }

    def guess(self, truth: Array) -> Array:
        """No text at all."""
        return np.array([""] * len(truth), object)

    def base_rate(self, known: Array, predicted: Array) -> Array:
        """The most frequent text of training, of equally frequent ones the first by letter."""
        texts, counts = np.unique(known.astype(str), return_counts=True)
        return np.array([str(texts[counts.argmax()])] * len(predicted), object)

    def frame(
        self, name: str, predicted: Array, classes: Sequence[object] = (), at_least: float | None = None
    ) -> pl.DataFrame:
        """The column `name`, the text."""
        return pl.DataFrame({name: pl.Series([str(text) for text in predicted], dtype=pl.String)})


def _sizes(truth: Array, *, by_word: bool) -> Floats:
    return np.array([len(str(text).split()) if by_word else len(str(text)) for text in truth], np.float64)


def _counts(truth: Array, predicted: Array, *, by_word: bool) -> Floats:
    """Insertions, deletions and substitutions of each row."""
    jiwer = require()
    process = jiwer.process_words if by_word else jiwer.process_characters
    found = []
    for right, told in zip(map(str, truth), map(str, predicted), strict=True):
        if not right:
            found.append(len(told.split()) if by_word else len(told))
            continue
        output = process(right, told)
        found.append(output.substitutions + output.deletions + output.insertions)
    return np.array(found, np.float64)


def require() -> ModuleType:
    """The package jiwer.

    Raises:
        RecipeError: It is not installed.
    """
    try:
        import jiwer
    except ImportError:
        raise RecipeError(
            "[tasks] transcription", "the package jiwer", "none", "pip install 'intertask[audio]'"
        ) from None
    return jiwer
