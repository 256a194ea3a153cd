"""Naive forecasts, which every other has to beat: they look at the last values of a window, or at nothing."""

import re
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.rows import Rows
from intertask.references import Answered, Question, ReferenceConfig

LABEL = re.compile(r"^(?P<name>.+)\+(?P<ahead>[0-9]{1,6})$", re.DOTALL)


class Config(ReferenceConfig):
    """Options of a naive forecast.

    Args:
        manner: The "last" value, which of a change is none; the value one "season" ago; the "mean" of the
            training rows; or a change of their usual size in a "random" direction.
        label: What is forecast, as NAME+AHEAD, of columns called NAME[PLACE].
        change: Whether that is a change from now, and the columns hold changes by one row.
        season: Rows of a season.
    """

    kind: Literal["naive"] = "naive"
    manner: Literal["last", "season", "mean", "random"] = "mean"
    label: str = Field(default="", max_length=600)
    change: bool = True
    season: int = Field(default=5, ge=1, le=10_000)

    def answers(self, question: Question) -> bool:
        """Whether it is asked for numbers, and the columns are there that it looks at."""
        there = set(self._columns()) <= set(question.rows.numbers)
        return question.num_classes is None and question.truth.dtype.kind == "f" and there

    def _columns(self) -> list[str]:
        """What it adds up."""
        if self.manner in ("mean", "random") or (self.manner == "last" and self.change):
            return []
        found = LABEL.match(self.label)
        name, ahead = (found["name"], int(found["ahead"])) if found is not None else (self.label, 1)
        if self.manner == "last":
            return [f"{name}[0]"]
        # The newest season that has ended: of a forecast beyond a season two or more ago.
        back = self.season * -(-ahead // self.season)
        if not self.change:
            return [f"{name}[{ahead - back}]"]
        return [f"{name}[{step - back}]" for step in range(1, ahead + 1)]

    def fit_one(self, training: Question, validation: Question, seed: int) -> Answered:
        """The forecast."""
        del validation
        truth, columns = training.truth.astype(np.float64), self._columns()
        size, middle = float(np.median(np.abs(truth))), float(np.average(truth, weights=training.weights))

        def answer(rows: Rows) -> NDArray[np.float32]:
            if self.manner == "mean":
                return np.full(len(rows), middle, np.float32)
            if self.manner == "random":
                drawn = np.random.default_rng(seed).integers(0, 2, len(rows))
                return np.where(drawn == 1, size, -size).astype(np.float32)
            if not columns:
                return np.zeros(len(rows), np.float32)
            told = rows.inputs.select(pl.sum_horizontal(pl.col(columns).cast(pl.Float64)))
            return told.to_series().to_numpy().astype(np.float32)

        return answer
