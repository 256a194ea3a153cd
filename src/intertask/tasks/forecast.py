"""A number that lies ahead, as quantiles: how much a share gains by tomorrow, what will be sold next week.

Source: Wen, Torkkola, Narayanaswamy and Madeka, "A Multi-Horizon Quantile Recurrent Forecaster", 2017; the
quantiles are sums of steps that are not negative, so that they never cross.
"""

from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from intertask.answers import Answer
from intertask.answers.forecast import Forecast as ForecastAnswer
from intertask.data.rows import Rows
from intertask.data.seam import Target
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import Items
from intertask.options.config import Config as Section
from intertask.tasks._numbers import Spread, labels, spread
from intertask.tasks._rows import Labels, RowTask, RowTaskConfig

Level = Annotated[float, Field(gt=0, lt=1)]


class Config(RowTaskConfig):
    """Options of a forecast.

    Args:
        levels: Of the quantiles, rising, 0.5 among them.
        ahead: What the label is: the "change" from now, whose sign is the direction, so that the naive
            forecast is none; or the "value" itself, so that it is the last value.
        season: Rows of a season; the seasonal naive forecast is what was one season ago.
    """

    kind: Literal["forecast"] = "forecast"
    levels: tuple[Level, ...] = Field(default=(0.1, 0.5, 0.9), min_length=1, max_length=99)
    ahead: Literal["change", "value"] = "change"
    season: int = Field(default=5, ge=1, le=10_000)

    @model_validator(mode="after")
    def _rising(self) -> "Config":
        if list(self.levels) != sorted(set(self.levels)) or 0.5 not in self.levels:
            raise ValueError("levels that rise, 0.5 among them")
        return self

    @property
    def answer(self) -> Answer:
        """Quantiles."""
        return ForecastAnswer(self.levels)

    def known_answer(self, facts: Section) -> Answer:
        """Quantiles."""
        return ForecastAnswer(self.levels)

    def fit(self, name: str, rows: Rows) -> "Quantiles":
        """Spread and quantiles of the labels.

        Raises:
            RecipeError: There is no such label.
            DataError: One is no number, or all are the same.
        """
        told = spread(name, self.column(name, rows), rows, "a forecast")
        known = self.labels(name, rows, told)
        own = np.quantile(known[~np.isnan(known)], self.levels)
        return Quantiles(**told.model_dump(), quantiles=tuple(own.tolist()))

    def facts(self, table: object) -> "Quantiles":
        """Spread and quantiles."""
        found = Quantiles.model_validate(table)
        if len(found.quantiles) != len(self.levels):
            raise ValueError(f"a quantile for each of {len(self.levels)} levels")
        return found

    def labels(self, name: str, rows: Rows, facts: Section) -> NDArray[np.float64]:
        """The numbers, NaN where one is missing.

        Raises:
            DataError: One is no number, or an infinite one.
        """
        return labels(self.column(name, rows), rows, "a forecast")

    def target(self, labels: NDArray[np.generic], weights: NDArray[np.float32], facts: Section) -> Labels:
        """The numbers in standard deviations from the mean."""
        assert isinstance(facts, Quantiles)
        told = (labels.astype(np.float64) - facts.mean) / facts.deviation
        return Labels(torch.from_numpy(told.astype(np.float32)), torch.from_numpy(np.array(weights)))

    def scale(self, facts: Section) -> float:
        """The loss of the training quantiles under a normal distribution, in standard deviations."""
        assert isinstance(facts, Quantiles)
        drawn = np.random.default_rng(0).normal(facts.mean, facts.deviation, 10_000)
        own = ForecastAnswer(self.levels)
        told = np.tile(np.array(facts.quantiles), (len(drawn), 1))
        return max(1e-3, own.measure(drawn, told)["pinball_loss"] / facts.deviation)

    def build(self, name: str, dimensions: Dimensions, items: Items | None) -> "Forecast":
        """The head and its loss."""
        self.refuse_no_facts(name, dimensions)
        facts = dimensions.answers[name]
        assert isinstance(facts, Quantiles)
        return Forecast(dimensions.width, self.levels, facts)


class Quantiles(Spread):
    """Where the labels of the training rows lie.

    Args:
        quantiles: At each level.
    """

    quantiles: tuple[Annotated[float, Field(ge=-1e30, le=1e30)], ...]


class Forecast(RowTask):
    """A linear map from the state of a row to its quantiles, which begins at those of the training rows.

    Args:
        width: Of a state.
        levels: Of the quantiles.
        facts: Where the labels lie.
    """

    levels_Q: Tensor

    def __init__(self, width: int, levels: tuple[float, ...], facts: Quantiles) -> None:
        super().__init__()
        self.head = nn.Linear(width, len(levels))
        self.mean, self.deviation = facts.mean, facts.deviation
        self.register_buffer("levels_Q", torch.tensor(levels), persistent=False)
        told = (np.array(facts.quantiles) - facts.mean) / facts.deviation
        steps = np.maximum(np.diff(told), 1e-3)
        # The inverse of softplus, by which steps become positive.
        start = np.concatenate([told[:1], np.log(np.expm1(steps))])
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor(start, dtype=torch.float32))
            self.head.weight.mul_(0.1)

    def _quantiles(self, state_BD: Tensor) -> Tensor:
        told_BQ = self.head(state_BD)
        steps_BQ = torch.cat([told_BQ[:, :1], functional.softplus(told_BQ[:, 1:])], dim=1)
        return steps_BQ.cumsum(1)

    def loss(self, states: Tensor, target: Target) -> Tensor | None:
        """The mean pinball loss of the rows that have a label, in standard deviations."""
        assert isinstance(target, Labels)
        known_B = target.known_B
        weights_B = target.weights_B[known_B]
        if not float(weights_B.sum()) > 0:
            return None
        over_BQ = target.truth[known_B].unsqueeze(1) - self._quantiles(states[known_B])
        losses_B = torch.maximum(self.levels_Q * over_BQ, (self.levels_Q - 1) * over_BQ).mean(1)
        loss: Tensor = (losses_B * weights_B).sum() / weights_B.sum()
        return loss

    def answer(self, state_BD: Tensor) -> Tensor:
        """The quantiles in the label's own unit, [B, Q]."""
        return self._quantiles(state_BD).cpu().double() * self.deviation + self.mean
