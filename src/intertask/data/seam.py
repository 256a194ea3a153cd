"""The seam behind which the kinds of data stand: logs of events, and samples that are rows by themselves.

A wing gives these parts for its kind of data. Training, models, artefacts and reports know the parts and no
wing; `experiment` knows the wings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

INPUT = "input"  # the name of the input of a model that has one
EVERY_TASK = "*"  # where the target of all tasks stands; no task may be called so


class Fields(Protocol):
    """What one input reads of the rows of a batch: events, cells of a table, frames of a recording."""

    @property
    def lengths_B(self) -> Tensor:  # noqa: N802
        """Places of each row that hold something, from the first on; one at least, int64."""
        ...

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        ...


class RowFields(Fields, Protocol):
    """What an input reads of many rows, of which batches are taken."""

    def take(self, rows: NDArray[np.int64]) -> Self:
        """Some of the rows."""
        ...


class Target(Protocol):
    """What a task is asked about the rows of a batch, and the truth, as its loss reads them."""

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        ...


@dataclass(frozen=True)
class Batch:
    """What a model is given.

    Args:
        inputs: What each input reads, by its name, `INPUT` where there is one.
        targets: What each task is asked, by its name, in training; `EVERY_TASK` is all others' target, such
            as the events that follow. Empty where nothing is learned.
    """

    inputs: Mapping[str, Fields]
    targets: Mapping[str, Target]

    def target(self, task: str) -> Target | None:
        """What a task is asked; None where the batch does not ask it."""
        return self.targets.get(task, self.targets.get(EVERY_TASK))

    @property
    def num_tokens(self) -> int:
        """Places that hold something, of all rows and inputs."""
        return sum(int(fields.lengths_B.sum()) for fields in self.inputs.values())

    def to(self, device: torch.device) -> "Batch":
        """The batch on another device."""
        return Batch(
            {name: fields.to(device) for name, fields in self.inputs.items()},
            {name: target.to(device) for name, target in self.targets.items()},
        )


class Feed(Protocol):
    """All that training needs of the rows that it may learn from."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Places of each row as the encoder will see it, by which rows share a batch, int64 [rows]."""
        ...

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """Some rows with their targets, on the CPU. Threads call it; it draws no random number."""
        ...


class Frozen(Protocol):
    """A model of which nothing but heads changes, before the validation targets of its stream.

    Metrics are those that tasks report; higher is better, losses are negated.
    """

    def metric(self, task: str) -> float | None:
        """Of a task with its head as it is; None where its targets define none."""
        ...

    def base(self, task: str) -> float | None:
        """Of the same answer to everything, the best that training labels know; None where nobody knows."""
        ...


class Corpus(Protocol):
    """Prepared data: its facts (sizes, vocabularies, classes) are each wing's own."""

    def digest(self) -> str:
        """SHA-256 over everything that a model can learn from or be measured by."""
        ...


class Split(Protocol):
    """What trains, what validates, what tests; its maker has refused leakage."""

    @property
    def description(self) -> str:
        """In words, for the protocol."""
        ...
