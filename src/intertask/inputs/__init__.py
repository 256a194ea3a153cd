"""Inputs: one modality and how it becomes a sequence. One file an input."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field
from torch import Tensor, nn

from intertask.data.rows import Rows
from intertask.data.seam import Fields, RowFields
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import AllItems
from intertask.nn.layout import Layout
from intertask.nn.rates import learn_at
from intertask.options.config import Config, PluginConfig

Kind = Literal["category", "number", "file", "text"]


class Reader(Config, ABC):
    """What an input of rows has found in those that train; it holds no row, and is kept as JSON."""

    @property
    @abstractmethod
    def columns(self) -> Mapping[str, Kind]:
        """What it reads: each column, and whether it has one of a few words, numbers, files or texts."""

    @abstractmethod
    def read(self, rows: Rows) -> RowFields:
        """What the input reads of rows that have the columns of those that train."""

    def refuse(self, rows: Rows) -> None:
        """Refuse rows that cannot be read, which are looked at before training: files, windows with holes.

        Raises:
            DataError: Names the first.
        """
        del rows

    def plain(self, rows: Rows) -> pl.DataFrame | None:
        """Columns of numbers that tell references, which read cells, what is in the files of rows, if any."""
        return None

    @abstractmethod
    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures should know of what it has found, each in a line."""


class InputConfig(PluginConfig):
    """The config of an input.

    Args:
        learning_rate: Of its own weights, in place of the rate of [train]; 0 keeps them as they are. For
            inputs that have been trained before.

    Attributes:
        reads_items: Whether it reads the vectors of items, which the heads share.
        reads_people: Whether it can read what is known of a user, beside the events of a log.
    """

    learning_rate: float | None = Field(default=None, ge=0, le=10)

    reads_items: ClassVar[bool] = False
    reads_people: ClassVar[bool] = False

    @abstractmethod
    def build(self, dimensions: Dimensions, items: AllItems | None) -> "Input":
        """The input.

        Args:
            dimensions: Sizes of recipe and data.
            items: The item vectors of the heads; None in a model without items.
        """

    @property
    def uses_times(self) -> bool:
        """Whether it needs a log with a clock."""
        return False

    def fit(self, rows: Rows) -> Reader:
        """The reader of some training rows.

        Raises:
            DataError: They say nothing.
        """
        raise TypeError(f"{type(self).__name__} reads no rows")

    def refit(self, rows: Rows, known: Reader) -> Reader:
        """The reader of some training rows, with what another one has of elsewhere, such as an encoder.

        Raises:
            DataError: They say nothing.
        """
        del known
        return self.fit(rows)

    def prepare(self, part: "Input") -> None:
        """Called once of a new part that is to be trained, such as to take weights of elsewhere.

        Raises:
            RecipeError: They cannot be had.
        """

    def keep_rates(self, part: "Input", others: Iterable[Tensor]) -> None:
        """Have a part learn at a rate of its own, if it has one.

        Args:
            part: As `build` made it.
            others: Weights that it reads and that are not its own, such as the items'.
        """
        if self.learning_rate is not None:
            learn_at(part, self.learning_rate, others)

    def reader(self, table: object) -> Reader:
        """The reader that has been kept as a table of JSON."""
        raise TypeError(f"{type(self).__name__} reads no rows")


@dataclass(frozen=True)
class Embedded:
    """Fields as a sequence of vectors.

    Args:
        hidden_BLD: What the encoder reads.
        layout: Where the places of the sequence stand; there may be others than the fields have.
        marks_BLD: What a communication that remembers may remember of each place, and nothing else of it: of
            events the item vectors. None where there is nothing to remember.
    """

    hidden_BLD: Tensor
    layout: Layout
    marks_BLD: Tensor | None = None


class Input(nn.Module, ABC):
    """A module whose forward makes a sequence of vectors of its fields."""

    @abstractmethod
    def forward(self, fields: Fields) -> Embedded:
        """The sequence."""
