"""What tasks share that are asked of each row of samples: the label that they learn, and its facts."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from intertask.answers import Answer
from intertask.data.rows import Rows
from intertask.errors import RecipeError
from intertask.nn.dimensions import Dimensions
from intertask.options.config import Config
from intertask.tasks import Task, TaskConfig

NOT_KNOWN = -1  # the code of a class that is missing, or that training has not seen


class RowTarget(Protocol):
    """What a task learns of many rows, of which batches are taken."""

    @property
    def known_B(self) -> Tensor:  # noqa: N802
        """Which rows have a label."""
        ...

    def take(self, rows: NDArray[np.int64]) -> Self:
        """Some of the rows."""
        ...

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        ...


@dataclass(frozen=True)
class Labels:
    """The labels of the rows of a batch.

    Args:
        truth: int64 codes [B], -1 where a row has no label; or float32 [B] or [B, C], NaN there.
        weights_B: float32, how much each row counts.
    """

    truth: Tensor
    weights_B: Tensor

    def take(self, rows: NDArray[np.int64]) -> "Labels":
        """Some of the rows."""
        places = torch.from_numpy(rows)
        return Labels(self.truth[places], self.weights_B[places])

    def to(self, device: torch.device) -> "Labels":
        """The same on another device."""
        return Labels(self.truth.to(device), self.weights_B.to(device))

    @property
    def known_B(self) -> Tensor:  # noqa: N802
        """Which rows have a label."""
        if not self.truth.is_floating_point():
            return self.truth >= 0
        known = ~self.truth.isnan()
        return known if known.ndim == 1 else known.all(1)


def known(labels: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which rows have a label, of what `RowTaskConfig.labels` found; None is no text."""
    if labels.dtype.kind == "O":
        return np.array([label is not None for label in labels], np.bool_)
    told = labels.astype(np.float64).reshape(len(labels), -1)
    lacking = told == NOT_KNOWN if labels.dtype.kind == "i" else np.isnan(told)
    return np.asarray(~lacking.any(axis=1), np.bool_)


class RowTaskConfig(TaskConfig):
    """The config of a task that is asked of each row.

    Args:
        label: The column that it learns, one of the labels of the rows; called as the task if left out.
    """

    label: str | None = Field(default=None, max_length=500)

    needs_causal: ClassVar[bool] = False
    reads_items: ClassVar[bool] = False
    of_rows: ClassVar[bool] = True
    pooled: ClassVar[bool] = True

    def column(self, name: str, rows: Rows) -> str:
        """The column that the task of this name learns.

        Raises:
            RecipeError: The rows have no such label.
        """
        column = self.label or name
        if column not in rows.labels.columns:
            known = ", ".join(rows.labels.columns) or "none"
            raise RecipeError(
                f"[tasks.{name}]",
                f"a label of the rows: {known}",
                repr(column),
                f'add it to [data.rows] labels, or say label = "..." in [tasks.{name}]',
            )
        return column

    def refuse_no_facts(self, name: str, dimensions: Dimensions) -> None:
        """Refuse to be built for a log, which has no labels of rows.

        Raises:
            RecipeError: As it says.
        """
        if name not in dimensions.answers:
            raise RecipeError(f"[tasks.{name}]", "a task of a log", f"{self.kind!r}, which is one of rows")

    @abstractmethod
    def fit(self, name: str, rows: Rows) -> Config:
        """What the labels of the training rows say: classes, or mean and spread.

        Raises:
            RecipeError: There is no such label.
            DataError: Nothing can be learned from it.
        """

    @abstractmethod
    def facts(self, table: object) -> Config:
        """The facts that `fit` found, from a table of JSON."""

    @abstractmethod
    def labels(self, name: str, rows: Rows, facts: Config) -> NDArray[np.generic]:
        """The labels as the answer measures them; -1, NaN or None where one is missing or unknown."""

    def target(self, labels: NDArray[np.generic], weights: NDArray[np.float32], facts: Config) -> RowTarget:
        """What `labels` found, as the loss reads it."""
        return Labels(torch.from_numpy(np.array(labels)), torch.from_numpy(np.array(weights)))

    @abstractmethod
    def scale(self, facts: Config) -> float:
        """The loss of the best answer that ignores the row."""

    @abstractmethod
    def known_answer(self, facts: Config) -> Answer:
        """The answer, now that the classes are known."""


class RowTask(Task):
    """A head that answers for a whole row."""

    @abstractmethod
    def answer(self, state_BD: Tensor) -> Tensor:
        """What the task's answer measures: probabilities of the classes, [B, C], or values, [B]."""
