"""Windows of series as sequences: a place for each moment, or for a few.

The columns of a row are called NAME[PLACE], as `[data.series]` makes them of a long table; the places of all
names are the same. The reader is fitted on the rows that train alone: mean and deviation of each name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, StrictInt, StrictStr, model_validator
from torch import Tensor, nn

from intertask.data.rows import Rows
from intertask.data.seam import INPUT, Fields
from intertask.errors import DataError, RecipeError
from intertask.inputs import Embedded, InputConfig, Kind
from intertask.inputs import Input as AnyInput
from intertask.inputs import Reader as AnyReader
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import AllItems
from intertask.nn.layout import Layout
from intertask.nn.random_kernels import RandomKernels
from intertask.nn.shortened import Shortened, masked, shorter
from intertask.nn.waves import waves

COLUMN = re.compile(r"^(?P<name>.+)\[(?P<place>-?[0-9]{1,6})\]$", re.DOTALL)
FARTHEST = 20.0  # deviations from the mean


class Config(InputConfig):
    """How a window becomes vectors.

    Args:
        names: Read these alone, of columns called NAME[PLACE]; all if left out.
        normalised: Each name has mean 0 and deviation 1 over all windows that train ("training"), or over
            each "window" by itself, of which the shape alone is then told.
        missing: What becomes of a number that is missing: "refuse" the row, or "fill" in the last one before
            in the window, the first one after where there is none.
        stem: A "learned" convolution makes a vector of each place. `width` "random" ones, of several lengths,
            which never learn, make one of the window; for few rows, with encoder "none" and a large width.
        subsample: Places become fewer by this factor, a power of two.
        kernel: Moments that each convolution sees, an odd number.
        noise: Training adds normal noise of so many deviations to each number,
        scaling: and makes each window larger or smaller by up to this share.
        mask_spans: Training blanks out so many spans of each window, of up to a fifth of it.
        dropout: Share of the numbers of a vector that training drops.
    """

    kind: Literal["series"] = "series"
    names: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=1_000)
    normalised: Literal["training", "window"] = "training"
    missing: Literal["refuse", "fill"] = "refuse"
    stem: Literal["learned", "random"] = "learned"
    subsample: Literal[1, 2, 4, 8] = 1
    kernel: int = Field(default=5, ge=1, le=101)
    noise: float = Field(default=0.0, ge=0, le=10)
    scaling: float = Field(default=0.0, ge=0, lt=1)
    mask_spans: int = Field(default=0, ge=0, le=20)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _odd(self) -> "Config":
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel an odd number, as 5, not {self.kernel}")
        if self.stem == "random" and self.subsample > 1:
            raise ValueError(f'subsample = 1 with stem = "random", not {self.subsample}')
        return self

    def fit(self, rows: Rows) -> "Reader":
        """The reader of some training rows.

        Raises:
            RecipeError: No column is called NAME[PLACE], or a name is none of them.
            DataError: Names have different places; a number is missing and that is refused; all are alike.
        """
        names, places = self._found(rows)
        bare = Reader(
            names=names,
            places=places,
            filled=self.missing == "fill",
            alone=self.normalised == "window",
            halvings=self.subsample.bit_length() - 1,
            single=self.stem == "random",
            means=(0.0,) * len(names),
            deviations=(1.0,) * len(names),
        )
        values = bare.values(rows).astype(np.float64)
        means, deviations = values.mean((0, 1)), values.std((0, 1))
        if not deviations.max() > 0:
            raise DataError(rows.report.source, "series that move", "the same number everywhere")
        deviations = np.where(deviations > 0, deviations, 1.0)
        return bare.model_copy(
            update={"means": tuple(means.tolist()), "deviations": tuple(deviations.tolist())}
        )

    def _found(self, rows: Rows) -> tuple[tuple[str, ...], tuple[int, ...]]:
        found: dict[str, list[int]] = {}
        for column in rows.numbers:
            if (match := COLUMN.match(column)) is not None:
                found.setdefault(match["name"], []).append(int(match["place"]))
        names = tuple(found) if self.names is None else self.names
        if not names or any(name not in found for name in names):
            known = ", ".join(map(repr, list(found)[:20])) or "none"
            raise RecipeError(
                "[input] names",
                f"columns of numbers called NAME[PLACE], of the names: {known}",
                ", ".join(map(repr, names)) or "no name",
                "[data.series] makes them of a long table",
            )
        places = sorted(found[names[0]])
        for name in names:
            if sorted(found[name]) != places:
                raise DataError(
                    rows.report.source, f"the places of {names[0]!r} for all names", f"others of {name!r}"
                )
        return names, tuple(places)

    def reader(self, table: object) -> "Reader":
        """The reader that wrote a table of JSON."""
        return Reader.model_validate(table)

    def build(self, dimensions: Dimensions, items: AllItems | None) -> "Input":
        """The input."""
        reader = dimensions.fields.get(INPUT)
        if not isinstance(reader, Reader):
            raise RecipeError("[input] kind", "an input of a log", repr(self.kind), 'use kind = "events"')
        return Input(self, reader, dimensions.width)


Finite = Annotated[float, Field(ge=-1e30, le=1e30)]


class Reader(AnyReader):
    """Reads windows; what it holds was found in training rows alone.

    Args:
        names: Of the numbers at each place.
        places: Rising.
        filled: Whether what is missing is filled in; refused otherwise.
        alone: Whether each window is normalised by itself.
        halvings: How often the length is halved.
        single: Whether a window has one place.
        means: Of the names.
        deviations: Of the names.
    """

    names: tuple[StrictStr, ...] = Field(min_length=1, max_length=1_000)
    places: tuple[StrictInt, ...] = Field(min_length=1, max_length=10_000)
    filled: bool
    alone: bool
    halvings: int = Field(ge=0, le=3)
    single: bool = False
    means: tuple[Finite, ...]
    deviations: tuple[Annotated[float, Field(gt=0, le=1e30)], ...]

    @model_validator(mode="after")
    def _a_number_for_each(self) -> "Reader":
        if {len(self.means), len(self.deviations)} != {len(self.names)}:
            raise ValueError(f"{len(self.names)} means and deviations")
        if list(self.places) != sorted(set(self.places)) or len(set(self.names)) < len(self.names):
            raise ValueError("each name and each place once, places rising")
        return self

    @property
    def columns(self) -> Mapping[str, Kind]:
        """The columns, the oldest place of a name first."""
        kinds: dict[str, Kind] = {
            f"{name}[{place}]": "number" for name in self.names for place in self.places
        }
        return kinds

    def values(self, rows: Rows) -> NDArray[np.float32]:
        """The numbers, [rows, places, names].

        Raises:
            DataError: One is missing, and that is refused; or a row has none at all of a name.
        """
        told = rows.inputs.select(list(self.columns)).to_numpy().astype(np.float32)
        found = told.reshape(len(rows), len(self.names), len(self.places)).transpose(0, 2, 1)
        lacking = np.isnan(found)
        if not lacking.any():
            return np.ascontiguousarray(found)
        row, place, name = (int(own[0]) for own in np.nonzero(lacking))
        where = f"{rows.report.source} row {row + 1:,} of those that are read"
        if not self.filled:
            column = f"{self.names[name]}[{self.places[place]}]"
            hint = 'say missing = "fill" in [input], or leave the row out'
            raise DataError(where, "a number at each place of a window", f"none in {column!r}", hint)
        if lacking.all(axis=1).any():
            row, name = (int(own[0]) for own in np.nonzero(lacking.all(axis=1)))
            where = f"{rows.report.source} row {row + 1:,} of those that are read"
            raise DataError(where, f"a number of {self.names[name]!r} somewhere in the window", "none")
        return _filled(found)

    def read(self, rows: Rows) -> "Windows":
        """The windows, normalised."""
        values = self.values(rows).astype(np.float64)
        means, deviations = np.array(self.means), np.array(self.deviations)
        if self.alone:
            means = values.mean(1, keepdims=True)
            spread = values.std(1, keepdims=True)
            deviations = np.where(spread > 1e-6 * deviations, spread, deviations)
        told = ((values - means) / deviations).clip(-FARTHEST, FARTHEST).astype(np.float32)
        return Windows(torch.from_numpy(told), self.halvings, self.single)

    def refuse(self, rows: Rows) -> None:
        """Refuse windows with holes."""
        self.values(rows)

    def notes(self) -> tuple[str, ...]:
        """Nothing to know."""
        return ()


def _filled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The last number before where one is missing, or else the first after."""
    count = values.shape[1]
    steps = np.arange(count)[None, :, None]
    there = ~np.isnan(values)
    last = np.maximum.accumulate(np.where(there, steps, -1), axis=1)
    first = np.minimum.accumulate(np.where(there, steps, count)[:, ::-1], axis=1)[:, ::-1]
    return np.take_along_axis(values, np.where(last >= 0, last, first), axis=1)


@dataclass(frozen=True)
class Windows(Fields):
    """Windows of rows.

    Args:
        values_BLX: float32.
        halvings: How often the length will be halved.
        single: Whether each will have one place.
    """

    values_BLX: Tensor
    halvings: int
    single: bool = False

    @property
    def lengths_B(self) -> Tensor:  # noqa: N802
        """As many places as moments, once they have become fewer."""
        return torch.ones_like(self._lengths) if self.single else shorter(self._lengths, self.halvings)

    @property
    def _lengths(self) -> Tensor:
        rows, length = self.values_BLX.shape[:2]
        return torch.full((rows,), length, device=self.values_BLX.device)

    def take(self, rows: NDArray[np.int64]) -> "Windows":
        """Some of the rows."""
        return Windows(self.values_BLX[torch.from_numpy(rows)], self.halvings, self.single)

    def to(self, device: torch.device) -> "Windows":
        """The same on another device."""
        return Windows(self.values_BLX.to(device), self.halvings, self.single)


class Input(AnyInput):
    """Embeds windows.

    Args:
        config: Options.
        reader: Of the windows.
        width: Of a vector.
    """

    def __init__(self, config: Config, reader: Reader, width: int) -> None:
        super().__init__()
        self.config = config
        numbers = len(reader.names)
        self.stem: Shortened | RandomKernels
        if config.stem == "random":
            self.stem = RandomKernels(numbers, width, len(reader.places))
            return
        self.stem = Shortened(numbers, width, reader.halvings, config.kernel, config.dropout)
        self.clock = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, fields: Fields) -> Embedded:
        """A vector for each place."""
        assert isinstance(fields, Windows)
        values_BLX, own = fields.values_BLX, self.config
        lengths_B = torch.full((len(values_BLX),), values_BLX.shape[1], device=values_BLX.device)
        if self.training and own.scaling:
            drawn_B11 = torch.rand(len(values_BLX), 1, 1, device=values_BLX.device)
            values_BLX = values_BLX * (1 + own.scaling * (2 * drawn_B11 - 1))
        if self.training and own.noise:
            values_BLX = values_BLX + own.noise * torch.randn_like(values_BLX)
        if self.training:
            values_BLX = masked(values_BLX, lengths_B, own.mask_spans, values_BLX.shape[1], 0, 1)
        if isinstance(self.stem, RandomKernels):
            return Embedded(self.stem(values_BLX)[:, None], Layout(causal=False))
        hidden_BLD, _ = self.stem(values_BLX, lengths_B)
        clock_LD = waves(hidden_BLD.shape[1], hidden_BLD.shape[2], hidden_BLD.device)
        return Embedded(hidden_BLD + self.clock * clock_LD, Layout(causal=False))
