"""Rows of a table as sequences: a place for each column, whose vector says what stands there; or one place.

The reader is fitted on the rows that train alone. It holds words, means, deviations and quantiles, no row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import Field, StrictStr, model_validator
from scipy.stats import norm
from torch import Tensor, nn

from intertask.data.quantiles import bin_edges
from intertask.data.rows import Rows
from intertask.data.seam import INPUT, Fields
from intertask.errors import DataError, RecipeError
from intertask.inputs import Embedded, InputConfig, Kind
from intertask.inputs import Input as AnyInput
from intertask.inputs import Reader as AnyReader
from intertask.nn.dimensions import Dimensions
from intertask.nn.dropout import Dropout
from intertask.nn.item_table import INITIAL_DEVIATION, AllItems
from intertask.nn.layout import Layout
from intertask.nn.row_layers import RowLayers
from intertask.options.config import Config as Section

SHOWN = 20  # columns that a message names
UNKNOWN, MISSING, FIRST = 0, 1, 2  # codes: a word that training has not seen, no word, the first known one
LARGEST = 1e4  # deviations from the mean that an edge may have
FARTHEST = {"standard": 10.0, "quantile": LARGEST, "bins": LARGEST}  # and a number as it is told
Manner = Literal["standard", "quantile", "bins"]


class Config(InputConfig):
    """How the cells of a row become vectors.

    Args:
        numbers: "bins": how far a number lies through each of the bins between quantiles, so that every bin
            has a slope of its own (Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep
            Learning", NeurIPS 2022, equation 1; a value that many rows share takes one bin); "quantile": its
            place among the training rows on a normal curve; "standard": its distance from the mean in
            standard deviations.
        num_bins: Bins, or steps of the curve; fewer where a column has fewer different numbers.
        at_least: A category that fewer training rows have is read as an unknown one, from which that vector
            is learned.
        most_categories: Most categories of a column that have a vector of their own, the most frequent ones;
            others are read as unknown.
        dropout: Share of the numbers of a vector that training drops.
        columns: Read these columns alone; all that are inputs of the rows if left out.
        num_layers: 0: each column is a place of its own, and the encoder compares them. From 1 on the columns
            of a row lie side by side and go through so many layers with ReLU, which make one place of them:
            a tenth of the time; `[encoder] kind = "none"` fits.
        inner: Width of these layers.
        inner_dropout: Share of their numbers that training drops.
        cell_width: Numbers that each column gives them.
    """

    reads_people: ClassVar[bool] = True
    kind: Literal["table"] = "table"
    numbers: Manner = "bins"
    num_bins: int = Field(default=24, ge=1, le=1_000)
    at_least: int = Field(default=2, ge=1, le=10**9)
    most_categories: int = Field(default=10_000, ge=1, le=1_000_000)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    columns: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=10_000)
    num_layers: int = Field(default=0, ge=0, le=16)
    inner: int = Field(default=256, ge=1, le=65_536)
    inner_dropout: float = Field(default=0.2, ge=0, lt=1)
    cell_width: int = Field(default=8, ge=1, le=8_192)

    def fit(self, rows: Rows) -> "Reader":
        """The reader of some training rows.

        Raises:
            RecipeError: A column is none of the inputs.
            DataError: No column says anything: each is empty or the same in all rows.
        """
        there = [name for name in rows.inputs.columns if name not in (*rows.files, *rows.texts)]
        wanted = there if self.columns is None else self.columns
        for name in wanted:
            if name not in there:
                known = ", ".join(map(repr, there[:SHOWN])) or "words or numbers"
                raise RecipeError("[input] columns", f"inputs of the rows, as {known}", repr(name))
        categories = {name: self._words(rows.inputs[name]) for name in rows.categories if name in wanted}
        numbers = {name: self._scale(rows.inputs[name]) for name in rows.numbers if name in wanted}
        reader = Reader(manner=self.numbers, categories=categories, numbers=numbers)
        if len(reader.says_nothing()) == len(reader.columns):
            raise DataError(
                rows.report.source,
                "a column whose values differ among the training rows",
                f"{len(reader.columns)} that are empty or constant",
                "name other inputs",
            )
        return reader

    def reader(self, table: object) -> "Reader":
        """The reader that wrote a table of JSON."""
        return Reader.model_validate(table)

    def _words(self, column: pl.Series) -> "Words":
        counts = column.drop_nulls().value_counts()
        counts = counts.sort("count", column.name, descending=[True, False])
        known = counts.filter(pl.col("count") >= self.at_least).head(self.most_categories)
        return Words(known=tuple(known[column.name]), rare=counts.height - known.height)

    def _scale(self, column: pl.Series) -> "Scale":
        values = column.drop_nulls().to_numpy().astype(np.float64)
        if not len(values):
            return Scale()
        mean, deviation = float(values.mean()), float(values.std())
        told = ((values - mean) / (deviation or 1.0)).clip(-LARGEST, LARGEST)
        # Edges that float32 cannot tell apart would make a bin of no width.
        edges = (
            bin_edges(told.astype(np.float32), self.num_bins)
            if self.numbers == "bins"
            else np.unique(np.quantile(told, np.linspace(0, 1, self.num_bins + 1)).astype(np.float32))
        )
        return Scale(mean=mean, deviation=deviation, edges=tuple(edges.tolist()), filled=len(values))

    def build(self, dimensions: Dimensions, items: AllItems | None) -> "Input":
        """The input."""
        reader = dimensions.fields.get(INPUT)
        if not isinstance(reader, Reader):
            raise RecipeError("[input] kind", "an input of a log", repr(self.kind), 'use kind = "events"')
        if not self.num_layers:
            return Input(reader, dimensions.width, self.dropout)
        own, count = self.cell_width, len(reader.columns)
        layers = RowLayers(count, own, self.inner, self.num_layers, dimensions.width, self.inner_dropout)
        return Input(reader, own, self.dropout, layers)


class Words(Section):
    """The categories of a column.

    Args:
        known: In the order of their codes, which is by frequency.
        rare: How many others the training rows have.
    """

    known: tuple[StrictStr, ...] = Field(max_length=1_000_000)
    rare: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _each_once(self) -> "Words":
        if len(set(self.known)) < len(self.known):
            raise ValueError("each category once")
        return self


Told = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]


class Scale(Section):
    """How the numbers of a column are told.

    Args:
        mean: Of the training rows.
        deviation: Their standard deviation; 0 where all are the same.
        edges: Rising quantiles, as told: (number - mean) / deviation.
        filled: Training rows that have one.
    """

    mean: float = 0.0
    deviation: float = Field(default=0.0, ge=0)
    edges: tuple[Told, ...] = Field(default=(), max_length=1_001)
    filled: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _rising(self) -> "Scale":
        if (np.diff(np.array(self.edges, np.float32)) <= 0).any():
            raise ValueError("edges that rise")
        return self

    def told(self, column: pl.Series, manner: Manner) -> NDArray[np.float32]:
        """The numbers as they are told; 0 where one is missing."""
        if not self.deviation:  # what never differed in training says nothing
            return np.zeros(len(column), np.float32)
        told = (column.to_numpy().astype(np.float64) - self.mean) / self.deviation
        told = np.where(np.isnan(told), 0.0, told).clip(-FARTHEST[manner], FARTHEST[manner])
        if manner == "quantile":
            levels = (np.arange(len(self.edges)) + 0.5) / len(self.edges)
            told = np.interp(told, self.edges, norm.ppf(levels))
        return told.astype(np.float32)


class Reader(AnyReader):
    """Reads rows as cells; what it holds was found in training rows alone.

    Args:
        manner: How numbers are told.
        categories: Words by column.
        numbers: Scales by column.
    """

    manner: Manner
    categories: dict[StrictStr, Words]
    numbers: dict[StrictStr, Scale]

    @property
    def columns(self) -> Mapping[str, Kind]:
        """The columns in the order of their places."""
        kinds: dict[str, Kind] = dict.fromkeys(self.numbers, "number")
        return kinds | dict.fromkeys(self.categories, "category")

    def read(self, rows: Rows) -> "Cells":
        """The cells of rows that have these columns."""
        inputs, count = rows.inputs, len(rows)
        scales, words = self.numbers.items(), self.categories.items()
        told = [scale.told(inputs[name], self.manner) for name, scale in scales]
        missing = [inputs[name].is_null().to_numpy() for name in self.numbers]
        codes = [_codes(inputs[name], own.known) for name, own in words]
        return Cells(
            torch.from_numpy(np.stack(told, 1) if told else np.zeros((count, 0), np.float32)),
            torch.from_numpy(np.stack(missing, 1) if missing else np.zeros((count, 0), np.bool_)),
            torch.from_numpy(np.stack(codes, 1) if codes else np.zeros((count, 0), np.int64)),
        )

    def says_nothing(self) -> dict[str, str]:
        """Columns that are the same in all training rows, and what they are, in words."""
        found = {name: "empty" for name, scale in self.numbers.items() if not scale.filled}
        found |= {n: "constant" for n, own in self.numbers.items() if own.filled and not own.deviation}
        for name, words in self.categories.items():
            if not words.known:
                found[name] = (
                    "empty" if not words.rare else f"{words.rare:,} rare words, as names or ids have"
                )
            elif len(words.known) == 1 and not words.rare:
                found[name] = "constant"
        return found

    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures should know of the columns, each in a line."""
        found = [f"column {name!r} says nothing: {why}" for name, why in self.says_nothing().items()]
        found += [
            f"column {name!r}: {words.rare:,} rare categories beside {len(words.known):,} are read as unknown"
            for name, words in self.categories.items()
            if words.known and words.rare > len(words.known)
        ]
        return tuple(found)


def _codes(column: pl.Series, known: tuple[str, ...]) -> NDArray[np.int64]:
    place_of = {word: place + FIRST for place, word in enumerate(known)}
    codes = (
        column.replace_strict(place_of, default=UNKNOWN, return_dtype=pl.Int64)
        if place_of
        else (pl.Series(np.full(len(column), UNKNOWN)))
    )
    return pl.select(pl.when(column.is_not_null()).then(codes).otherwise(MISSING)).to_series().to_numpy()


@dataclass(frozen=True)
class Cells(Fields):
    """Cells of rows; letters: B rows, F columns of numbers, C columns of categories.

    Args:
        told_BF: float32, numbers as they are told.
        missing_BF: bool, where there is none.
        codes_BC: int64, categories.
    """

    told_BF: Tensor
    missing_BF: Tensor
    codes_BC: Tensor

    @property
    def lengths_B(self) -> Tensor:  # noqa: N802
        """As many places as columns, of each row."""
        length = self.told_BF.shape[1] + self.codes_BC.shape[1]
        return torch.full((len(self.codes_BC),), length, device=self.codes_BC.device)

    def take(self, rows: NDArray[np.int64]) -> "Cells":
        """Some of the rows."""
        places = torch.from_numpy(rows)
        return Cells(self.told_BF[places], self.missing_BF[places], self.codes_BC[places])

    def to(self, device: torch.device) -> "Cells":
        """The same on another device."""
        return Cells(self.told_BF.to(device), self.missing_BF.to(device), self.codes_BC.to(device))


class Input(AnyInput):
    """Embeds cells: columns of numbers first, then those of categories.

    Args:
        reader: Of the cells.
        width: Of a vector.
        dropout: Share of its numbers that training drops.
        row: What makes one place of the cells of a row; they are places themselves without it.
    """

    starts_C: Tensor
    low_FK: Tensor
    high_FK: Tensor

    def __init__(self, reader: Reader, width: int, dropout: float, row: RowLayers | None = None) -> None:
        super().__init__()
        sizes = [FIRST + len(words.known) for words in reader.categories.values()]
        starts = torch.tensor([sum(sizes[:place]) for place in range(len(sizes))], dtype=torch.int64)
        self.register_buffer("starts_C", starts, persistent=False)
        self.words = nn.Embedding(max(1, sum(sizes)), width)
        nn.init.normal_(self.words.weight, std=INITIAL_DEVIATION)
        low, high = _bins(reader)
        self.register_buffer("low_FK", low, persistent=False)
        self.register_buffer("high_FK", high, persistent=False)
        self.binned = reader.manner == "bins"
        num_numbers, steps = low.shape
        self.slopes_FKD = nn.Parameter(torch.randn(num_numbers, steps, width) * INITIAL_DEVIATION)
        self.base_FD = nn.Parameter(torch.randn(num_numbers, width) * INITIAL_DEVIATION)
        self.missing_FD = nn.Parameter(torch.randn(num_numbers, width) * INITIAL_DEVIATION)
        self.scale = width**0.5  # layers need numbers of about 1
        self.dropout = Dropout(dropout)
        self.row = row

    def forward(self, fields: Fields) -> Embedded:
        """A vector for each column, or for each row."""
        assert isinstance(fields, Cells)
        words_BCD = self.words(fields.codes_BC + self.starts_C)
        numbers_BFD = torch.einsum("bfk,fkd->bfd", self._told(fields.told_BF), self.slopes_FKD) + self.base_FD
        numbers_BFD = torch.where(fields.missing_BF.unsqueeze(-1), self.missing_FD, numbers_BFD)
        hidden_BLD = self.dropout(self.scale * torch.cat([numbers_BFD, words_BCD], dim=1))
        if self.row is not None:
            hidden_BLD = self.row(hidden_BLD).unsqueeze(1)
        return Embedded(hidden_BLD, Layout(causal=False))

    def _told(self, told_BF: Tensor) -> Tensor:
        """The number itself, [B, F, 1]; or how far it lies through each bin, 0 to 1, [B, F, K]."""
        if not self.binned:
            return told_BF.unsqueeze(-1)
        through_BFK = (told_BF.unsqueeze(-1) - self.low_FK) / (self.high_FK - self.low_FK)
        return through_BFK.clamp(0.0, 1.0)


def _bins(reader: Reader) -> tuple[Tensor, Tensor]:
    """Edges of the bins of each column of numbers; bins that it lacks lie beyond all numbers."""
    edges = [scale.edges for scale in reader.numbers.values()]
    steps = max([len(own) - 1 for own in edges], default=1) if reader.manner == "bins" else 1
    low = torch.full((len(edges), max(1, steps)), 2 * LARGEST)
    high = torch.full_like(low, 3 * LARGEST)
    for place, own in enumerate(edges):
        count = min(len(own) - 1, low.shape[1])
        if count > 0:
            low[place, :count] = torch.tensor(own[:count])
            high[place, :count] = torch.tensor(own[1 : count + 1])
    return low, high
