"""Which class a row belongs to, or which of several labels it has."""

from collections.abc import Iterable
from typing import Annotated, Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import Field, StrictInt, StrictStr, model_validator
from scipy.special import entr
from torch import Tensor, nn
from torch.nn import functional

from intertask.answers import Answer
from intertask.answers.category import Category as CategoryAnswer
from intertask.data.rows import Rows
from intertask.data.seam import Target
from intertask.errors import DataError, RecipeError
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import Items
from intertask.options.config import Config as Section
from intertask.tasks._rows import NOT_KNOWN, Labels, RowTask, RowTaskConfig

MOST_CLASSES = 10_000
FEW_CLASSES = 20  # which may each have a row or two


class Config(RowTaskConfig):
    """Options of a task with classes.

    Args:
        several: A row may have several labels, or none; each is a yes or no of its own.
        class_weights: How much the rows of a class count in training: all the same ("equal"), so much that
            all classes count the same ("balanced"), or a number for each class, 1 for those left out.
            Probabilities are then of a world in which classes are as frequent as they count.
        smoothing: Share of a label that training spreads evenly over all classes, so that it does not drive
            probabilities to 1; of several labels over yes and no.
        at_least: `predict` leaves a row without a class if no class is as probable as this; a request may
            say otherwise.
    """

    kind: Literal["category"] = "category"
    several: bool = False
    class_weights: Literal["equal", "balanced"] | dict[str, float] = "equal"
    smoothing: float = Field(default=0.0, ge=0, lt=1)
    at_least: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _weights_that_count(self) -> "Config":
        if isinstance(self.class_weights, dict):
            for name, weight in self.class_weights.items():
                if not 0 < weight <= 1e6:
                    raise ValueError(
                        f"class_weights above 0, of a million at most, not {weight:g} for {name!r}"
                    )
        return self

    @property
    def answer(self) -> Answer:
        """Classes, not yet known how many."""
        return CategoryAnswer(several=self.several)

    def known_answer(self, facts: Section) -> Answer:
        """Classes."""
        assert isinstance(facts, Classes)
        return CategoryAnswer(len(facts.names), self.several)

    def fit(self, name: str, rows: Rows) -> "Classes":
        """The classes that occur, in the order of their names, numbers by size.

        Raises:
            RecipeError: There is no such label, or a weight is of no class.
            DataError: There are fewer than two classes, more than 10,000, or nearly as many as rows.
        """
        column = rows.labels[self.column(name, rows)]
        self._refuse_lists(name, column)
        counts = column.explode().drop_nulls().value_counts(name="count")
        found = {str(word): int(count) for word, count in counts.iter_rows()}
        least = 1 if self.several else 2
        if not least <= len(found) <= MOST_CLASSES:
            told = ", ".join(map(repr, found)) if len(found) < least else f"{len(found):,}"
            raise DataError(
                f"[tasks.{name}] label {column.name!r}",
                f"{least} to {MOST_CLASSES:,} classes among the training rows",
                told or "none",
                "choose another label or split" if len(found) < least else "is it a regression?",
            )
        if not self.several and len(found) > max(FEW_CLASSES, sum(found.values()) / 2):
            raise DataError(
                f"[tasks.{name}] label {column.name!r}",
                "classes that most training rows share with another one",
                f"{len(found):,} classes in {sum(found.values()):,} rows",
                'kind = "regression" learns numbers' if _are_numbers(found) else "choose another label",
            )
        names = _ordered(found)
        if isinstance(self.class_weights, dict):
            for word in self.class_weights:
                if word not in found:
                    known = ", ".join(map(repr, names[:20]))
                    raise RecipeError(f"[tasks.{name}] class_weights", f"classes: {known}", repr(word))
        return Classes(names=names, counts=tuple(found[own] for own in names), rows=len(column.drop_nulls()))

    def _refuse_lists(self, name: str, column: pl.Series) -> None:
        lists = isinstance(column.dtype, pl.List)
        if lists != self.several:
            expected = "one label a row" if lists else f"[data.rows] several = [{column.name!r}]"
            hint = f"set [tasks.{name}] several = {str(lists).lower()}"
            raise RecipeError(f"[tasks.{name}]", expected, "several" if lists else "one label a row", hint)

    def facts(self, table: object) -> "Classes":
        """The classes."""
        return Classes.model_validate(table)

    def labels(self, name: str, rows: Rows, facts: Section) -> NDArray[np.generic]:
        """Codes, -1 where a class is missing or was not in training; of several labels 0 and 1, [rows, C]."""
        assert isinstance(facts, Classes)
        column = rows.labels[self.column(name, rows)]
        self._refuse_lists(name, column)
        places = {word: place for place, word in enumerate(facts.names)}
        if not self.several:
            known = column.replace_strict(places, default=NOT_KNOWN, return_dtype=pl.Int64)
            return known.fill_null(NOT_KNOWN).to_numpy()
        held = column.to_frame("label").with_row_index("row").explode("label").drop_nulls()
        codes = held["label"].replace_strict(places, default=NOT_KNOWN, return_dtype=pl.Int64).to_numpy()
        truth = np.zeros((len(column), len(places)), np.float32)
        truth[held["row"].to_numpy()[codes >= 0], codes[codes >= 0]] = 1
        truth[column.is_null().to_numpy()] = np.nan
        return truth

    def scale(self, facts: Section) -> float:
        """The entropy of the classes, in nats; of several labels the mean of theirs."""
        assert isinstance(facts, Classes)
        if self.several:
            shares = self._smooth(np.array(facts.counts) / max(1, facts.rows), 2)
            return float((self._weights(facts) * (entr(shares) + entr(1 - shares))).mean())
        counts = np.array(facts.counts) * self._weights(facts)
        return float(entr(self._smooth(counts / counts.sum(), len(counts))).sum())

    def _smooth(self, shares: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        return shares * (1 - self.smoothing) + self.smoothing / count

    def _weights(self, facts: "Classes") -> NDArray[np.float64]:
        counts = np.array(facts.counts, np.float64)
        if self.class_weights == "equal":
            return np.ones(len(counts))
        if self.class_weights == "balanced":
            balanced: NDArray[np.float64] = counts.sum() / (len(counts) * counts)
            return balanced
        return np.array([self.class_weights.get(name, 1.0) for name in facts.names])

    def build(self, name: str, dimensions: Dimensions, items: Items | None) -> "Category":
        """The head and its loss."""
        self.refuse_no_facts(name, dimensions)
        facts = dimensions.answers[name]
        assert isinstance(facts, Classes)
        weights_C = torch.tensor(self._weights(facts)).float()
        return Category(dimensions.width, weights_C, several=self.several, smoothing=self.smoothing)


class Classes(Section):
    """The classes of a task.

    Args:
        names: In the order of their codes.
        counts: Training rows of each.
        rows: Training rows with a label.
    """

    names: tuple[StrictStr, ...] = Field(min_length=1, max_length=MOST_CLASSES)
    counts: tuple[Annotated[StrictInt, Field(ge=1, lt=2**53)], ...]
    rows: int = Field(ge=1, lt=2**53)

    @model_validator(mode="after")
    def _each_once(self) -> "Classes":
        if len(set(self.names)) < len(self.names) or len(self.counts) != len(self.names):
            raise ValueError("each class once, with its count")
        return self

    @property
    def spelt(self) -> list[str] | list[int]:
        """The names as a caller gets them: numbers where all are whole numbers as they are usually spelt."""
        numbers = [int(name) for name in self.names if name.lstrip("-").isdecimal() and len(name) < 19]
        return numbers if tuple(map(str, numbers)) == self.names else list(self.names)


def _are_numbers(words: Iterable[str]) -> bool:
    return not pl.Series(list(words), dtype=pl.String).cast(pl.Float64, strict=False).has_nulls()


def _ordered(words: Iterable[str]) -> tuple[str, ...]:
    """Numbers by size, other words by letter."""
    named = pl.Series("word", list(words), dtype=pl.String)
    size = named.cast(pl.Float64, strict=False)
    size = size if _are_numbers(named) else pl.zeros(len(named), eager=True)
    return tuple(pl.DataFrame({"size": size, "word": named}).sort("size", "word")["word"])


class Category(RowTask):
    """A linear map from the state of a row to its classes.

    Args:
        width: Of the state.
        weights_C: How much a row of each class counts.
        several: Whether each class is a yes or no of its own.
        smoothing: Share of a label that is spread over all classes.
    """

    weights_C: Tensor

    def __init__(self, width: int, weights_C: Tensor, *, several: bool, smoothing: float = 0.0) -> None:
        super().__init__()
        self.head = nn.Linear(width, len(weights_C))
        self.register_buffer("weights_C", weights_C, persistent=False)
        self.several, self.smoothing = several, smoothing

    def loss(self, states: Tensor, target: Target) -> Tensor | None:
        """Cross-entropy of the rows that have a label."""
        assert isinstance(target, Labels)
        known_B = target.known_B
        if not known_B.any():
            return None
        logits_BC, truth = self.head(states[known_B]), target.truth[known_B]
        if self.several:
            truth = truth * (1 - self.smoothing) + self.smoothing / 2
            every = functional.binary_cross_entropy_with_logits(logits_BC, truth, reduction="none")
            counts_B = target.weights_B[known_B]
            losses_B = (every * self.weights_C).mean(1)
        else:
            losses_B = functional.cross_entropy(
                logits_BC, truth, reduction="none", label_smoothing=self.smoothing
            )
            counts_B = target.weights_B[known_B] * self.weights_C[truth]
        total = counts_B.sum()
        return (losses_B * counts_B).sum() / total if float(total) > 0 else None

    def answer(self, state_BD: Tensor) -> Tensor:
        """Calibrated probabilities of the classes, [B, C]."""
        logits_BC = self.head(state_BD) / self.calibration
        return torch.sigmoid(logits_BC) if self.several else torch.softmax(logits_BC, dim=-1)
