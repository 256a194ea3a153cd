"""A number for each row, such as a price or a length of stay."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from intertask.answers import Answer
from intertask.answers.value import Value
from intertask.data.rows import Rows
from intertask.data.seam import Target
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import Items
from intertask.options.config import Config as Section
from intertask.tasks._numbers import Spread, labels, spread
from intertask.tasks._rows import Labels, RowTask, RowTaskConfig

_LOSSES: dict[str, Callable[..., Tensor]] = {
    "squared": functional.mse_loss,
    "absolute": functional.l1_loss,
    "huber": functional.huber_loss,
}


class Config(RowTaskConfig):
    """Options of a task with a number.

    Args:
        loss: "squared" learns the mean, "absolute" the median, "huber" the mean of what lies within a
            standard deviation and the median of the rest.
    """

    kind: Literal["regression"] = "regression"
    loss: Literal["squared", "absolute", "huber"] = "squared"

    @property
    def answer(self) -> Answer:
        """A value."""
        return Value()

    def known_answer(self, facts: Section) -> Answer:
        """A value."""
        return Value()

    def nats(self, constant_loss: float) -> float:
        """Of squared errors, in standard deviations of the labels, under a normal distribution."""
        return 0.5 if self.loss == "squared" else 1.0

    def fit(self, name: str, rows: Rows) -> "Spread":
        """Mean and spread of the labels.

        Raises:
            RecipeError: There is no such label.
            DataError: One is no number, or all are the same.
        """
        return spread(name, self.column(name, rows), rows)

    def facts(self, table: object) -> "Spread":
        """Mean and spread."""
        return Spread.model_validate(table)

    def labels(self, name: str, rows: Rows, facts: Section) -> NDArray[np.float64]:
        """The numbers, NaN where one is missing.

        Raises:
            DataError: One is no number, or an infinite one.
        """
        return labels(self.column(name, rows), rows, "a regression")

    def target(self, labels: NDArray[np.generic], weights: NDArray[np.float32], facts: Section) -> Labels:
        """The numbers in standard deviations from the mean, which single precision can tell apart."""
        assert isinstance(facts, Spread)
        told = (labels.astype(np.float64) - facts.mean) / facts.deviation
        return Labels(torch.from_numpy(told.astype(np.float32)), torch.from_numpy(np.array(weights)))

    def scale(self, facts: Section) -> float:
        """The loss of the mean, or of the median, in standard deviations."""
        assert isinstance(facts, Spread)
        if self.loss == "squared":
            return 1.0
        return facts.absolute / facts.deviation if self.loss == "absolute" else 0.5

    def build(self, name: str, dimensions: Dimensions, items: Items | None) -> "Regression":
        """The head and its loss."""
        self.refuse_no_facts(name, dimensions)
        facts = dimensions.answers[name]
        assert isinstance(facts, Spread)
        return Regression(dimensions.width, facts, self.loss)


class Regression(RowTask):
    """A linear map from the state of a row to its number, learned in standard deviations from the mean."""

    def __init__(self, width: int, facts: Spread, loss: Literal["squared", "absolute", "huber"]) -> None:
        super().__init__()
        self.head = nn.Linear(width, 1)
        self.mean, self.deviation, self.kind = facts.mean, facts.deviation, loss

    def loss(self, states: Tensor, target: Target) -> Tensor | None:
        """The mean loss of the rows that have a label."""
        assert isinstance(target, Labels)
        known_B = target.known_B
        weights_B = target.weights_B[known_B]
        if not float(weights_B.sum()) > 0:
            return None
        told_B = self.head(states[known_B])[:, 0]
        losses_B = _LOSSES[self.kind](told_B, target.truth[known_B], reduction="none")
        loss: Tensor = (losses_B * weights_B).sum() / weights_B.sum()
        return loss

    def answer(self, state_BD: Tensor) -> Tensor:
        """The numbers in the label's own unit, [B]."""
        told_B: Tensor = self.head(state_BD)[:, 0]
        return told_B.cpu().double() * self.deviation + self.mean
