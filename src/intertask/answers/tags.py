"""A tag for each word of a row, measured by words and by entities.

Words that were cut off have no tag, and count as wrong.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from intertask.answers import SMALLEST, Answer, Array, Floats
from intertask.metrics.entities import counts, entities

NONE = ""  # the tag of a word that was cut off
OUTSIDE = "O"


@dataclass(frozen=True)
class Tags(Answer):
    """Truth and prediction are lists of tags, object [rows]."""

    monitor = reported = quality = "f1"
    metrics = ("f1", "precision", "recall", "accuracy", "macro_f1", "weighted_f1")

    def measure(self, truth: Array, predicted: Array) -> dict[str, float]:
        """The metrics.

        "f1", "precision" and "recall" are of entities: of all rows together, right where kind, first and last
        word are. "accuracy" is the share of words with the right tag, which is also the micro average of
        F1 over all tags; "macro_f1" is its mean over the tags that occur, O included, and "weighted_f1" the
        mean by how often each is true.
        """
        if not len(truth):
            return {}
        pairs = _pairs(truth, predicted)
        right, told, true = np.array([counts(*pair) for pair in pairs]).sum(0)
        return {
            "f1": float(2 * right / max(1, told + true)),
            "precision": float(right / max(1, told)),
            "recall": float(right / max(1, true)),
            "accuracy": float(self.means(truth, predicted)["accuracy"].mean()),
            **_by_tag(pairs),
        }

    def qualities(self, truth: Array, predicted: Array) -> Floats:
        """What each row does to the F1 of all: its mean is that, and resampled it moves as that does."""
        found = np.array([counts(*pair) for pair in _pairs(truth, predicted)], np.float64)
        right, size = 2 * found[:, 0], found[:, 1] + found[:, 2]
        mean = max(SMALLEST, float(size.mean()))
        f1 = float(right.mean()) / mean
        values: Floats = f1 + (right - f1 * size) / mean
        return values

    def means(self, truth: Array, predicted: Array) -> dict[str, Floats]:
        """F1 of entities, and the share of words with the right tag."""
        pairs = _pairs(truth, predicted)
        right = np.array([sum(map(str.__eq__, *pair)) for pair in pairs], np.float64)
        size = np.array([len(wanted) for wanted, _ in pairs], np.float64)
        share = right.sum() / max(1.0, size.sum())
        accuracy: Floats = share + (right - share * size) / max(SMALLEST, float(size.mean()))
        return {"f1": self.qualities(truth, predicted), "accuracy": accuracy}

    def worth(self, reported: float) -> float:
        """F1."""
        return max(SMALLEST, reported)

    def guess(self, truth: Array) -> Array:
        """No entity."""
        return as_rows([[OUTSIDE] * len(own) for own in truth])

    def base_rate(self, known: Array, predicted: Array) -> Array:
        """The most frequent tag of training for each word, of equally frequent ones the first by letter."""
        often = Counter(tag for own in known for tag in own)
        most = min(often, key=lambda tag: (-often[tag], tag), default=OUTSIDE)
        return as_rows([[most] * len(own) for own in predicted])

    def frame(
        self, name: str, predicted: Array, classes: Sequence[object] = (), at_least: float | None = None
    ) -> pl.DataFrame:
        """The tags of each row in the column `name`, and its entities with the places of their words.

        Entities are in NAME_entities, each with kind, start and end; the word at `end` is the first behind.
        """
        found = [[own._asdict() for own in entities(tags)] for tags in predicted]
        kind = pl.Struct({"kind": pl.String, "start": pl.Int64, "end": pl.Int64})
        return pl.DataFrame(
            {
                name: pl.Series([list(tags) for tags in predicted], dtype=pl.List(pl.String)),
                f"{name}_entities": pl.Series(found, dtype=pl.List(kind)),
            }
        )


def as_rows(lists: Sequence[Sequence[str]]) -> Array:
    """Lists as an array of objects, also where all are as long as each other."""
    rows = np.empty(len(lists), object)
    rows[:] = [list(own) for own in lists]
    return rows


def _pairs(truth: Array, predicted: Array) -> list[tuple[list[str], list[str]]]:
    """What is true and what was told of each row, as long as each other."""
    return [
        (list(wanted), [*told, *[NONE] * (len(wanted) - len(told))][: len(wanted)])
        for wanted, told in zip(truth, predicted, strict=True)
    ]


def _by_tag(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> dict[str, float]:
    """The means of F1 over the tags that are true or told somewhere."""
    true, told, right = Counter[str](), Counter[str](), Counter[str]()
    for wanted, found in pairs:
        true.update(wanted)
        told.update(found)
        right.update(tag for tag, own in zip(wanted, found, strict=True) if tag == own)
    tags = sorted((true.keys() | told.keys()) - {NONE})
    f1 = np.array([2 * right[tag] / (true[tag] + told[tag]) for tag in tags])
    often = np.array([true[tag] for tag in tags], np.float64)
    if not tags or not often.sum():
        return {}
    return {"macro_f1": float(f1.mean()), "weighted_f1": float((f1 * often).sum() / often.sum())}
