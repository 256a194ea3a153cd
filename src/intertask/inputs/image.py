"""Pictures as sequences: a place for each patch, whose vector says what stands there and where it lies.

The reader is fitted on the rows that train alone. It holds the size, the mode, and mean and deviation of each
channel.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021 (patches); Xiao et al., "Early
Convolutions Help Transformers See Better", NeurIPS 2021 (a small stem of convolutions in their place).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import Field, StrictStr, model_validator
from torch import Tensor, nn

from intertask.data.rows import Rows
from intertask.data.seam import INPUT, Fields
from intertask.errors import DataError, RecipeError
from intertask.inputs import Embedded, InputConfig, Kind
from intertask.inputs import Input as AnyInput
from intertask.inputs import Reader as AnyReader
from intertask.inputs._pictures import CHANNELS, Mode, pixels
from intertask.nn.dimensions import Dimensions
from intertask.nn.dropout import Dropout
from intertask.nn.item_table import INITIAL_DEVIATION, AllItems
from intertask.nn.layout import Layout
from intertask.nn.moved import Movement, moved

MOST_PLACES = 4_096  # of a picture
PLAIN = 28  # pixels of a side of the picture that references see
Side = Annotated[int, Field(ge=1, le=4_096)]


class Config(InputConfig):
    """How a picture becomes vectors.

    Args:
        column: The column of files; may be left out where there is one.
        size: Height and width that every picture is drawn to. If left out all must have the same, and others
            are refused.
        mode: "gray" or "colour": what every picture is turned into. If left out all must have the same.
        patch: Pixels of a side of a patch; the picture is filled up at its edges.
        stem: "convolutions" halves the sides step by step, with convolutions that see beyond a patch, so that
            `patch` is a power of two; "patches" maps each patch by itself.
        flip: Training turns every other picture about its vertical axis.
        shift: Training moves pictures by up to so many pixels to each side.
        turn: Training turns them by up to so many degrees.
        zoom: Training makes them larger or smaller by up to this share.
        dropout: Share of the numbers of a vector that training drops.
    """

    kind: Literal["image"] = "image"
    column: str | None = Field(default=None, max_length=500)
    size: tuple[Side, Side] | None = None
    mode: Mode | None = None
    patch: int = Field(default=4, ge=1, le=256)
    stem: Literal["convolutions", "patches"] = "convolutions"
    flip: bool = False
    shift: int = Field(default=0, ge=0, le=1_000)
    turn: float = Field(default=0.0, ge=0, le=180)
    zoom: float = Field(default=0.0, ge=0, lt=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _halves(self) -> "Config":
        if self.stem == "convolutions" and self.patch & (self.patch - 1):
            raise ValueError(f"patch a power of two, as 4, with a stem of convolutions, not {self.patch}")
        return self

    def fit(self, rows: Rows) -> "Reader":
        """The reader of some training rows.

        Raises:
            RecipeError: No column of files, or several and none is named.
            DataError: A picture is damaged, or of another size or mode than the first.
        """
        column = rows.file(self.column, "[input] image")
        found = rows.inputs[column]
        first = found[0]
        shown = pixels(first["content"], first["name"], self.mode, self.size)
        mode: Mode = "gray" if len(shown) == 1 else "colour"
        height, width = shown.shape[1:]
        self._refuse_many(height, width)
        bare = Reader(
            column=column,
            height=height,
            width=width,
            mode=mode,
            patch=self.patch,
            drawn=self.size is not None,
            turned=self.mode is not None,
            means=(0.0,) * len(shown),
            deviations=(1.0,) * len(shown),
        )
        means, deviations = _spread(bare.pixels(found))
        if not float(deviations.max()) > 0:
            raise DataError(rows.report.source, "pictures that differ", "all of one shade")
        return bare.model_copy(
            update={
                "means": tuple(means.tolist()),
                "deviations": tuple(deviations.clamp(1.0, 255.0).tolist()),
            }
        )

    def _refuse_many(self, height: int, width: int) -> None:
        places = -(-height // self.patch) * -(-width // self.patch)
        if places > MOST_PLACES:
            raise RecipeError(
                "[input] patch",
                f"{MOST_PLACES:,} patches at most",
                f"{places:,} of a picture of {height} x {width}",
                "take a larger patch, or a smaller size",
            )

    def reader(self, table: object) -> "Reader":
        """The reader that wrote a table of JSON."""
        return Reader.model_validate(table)

    def build(self, dimensions: Dimensions, items: AllItems | None) -> "Input":
        """The input."""
        reader = dimensions.fields.get(INPUT)
        if not isinstance(reader, Reader):
            raise RecipeError("[input] kind", "an input of a log", repr(self.kind), 'use kind = "events"')
        self._refuse_many(reader.height, reader.width)
        return Input(self, reader, dimensions.width)


def _spread(values_NCHW: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel, piece by piece: pictures are kept as bytes to save memory."""
    sums = squares = torch.zeros(values_NCHW.shape[1], dtype=torch.float64)
    count = 0
    for piece in torch.split(values_NCHW, 256):
        told = piece.double()
        sums, squares = sums + told.sum((0, 2, 3)), squares + (told**2).sum((0, 2, 3))
        count += told[:, 0].numel()
    means = sums / count
    return means, (squares / count - means**2).clamp(min=0).sqrt()


Told = Annotated[float, Field(ge=0, le=255)]


class Reader(AnyReader):
    """Reads pictures; what it holds was found in training rows alone.

    Args:
        column: Of the files.
        height: Of every picture.
        width: Of every picture.
        mode: Of every picture.
        patch: Pixels of a side of a patch.
        drawn: Whether pictures of another size are drawn to this one; refused otherwise.
        turned: Whether pictures of another mode are turned into this one; refused otherwise.
        means: Of the channels, 0 to 255.
        deviations: Of the channels.
    """

    column: StrictStr = Field(max_length=500)
    height: Side
    width: Side
    mode: Mode
    patch: Annotated[int, Field(ge=1, le=256)]
    drawn: bool
    turned: bool
    means: tuple[Told, ...] = Field(min_length=1, max_length=3)
    deviations: tuple[Annotated[float, Field(ge=1, le=255)], ...] = Field(min_length=1, max_length=3)

    @model_validator(mode="after")
    def _a_number_for_each_channel(self) -> "Reader":
        if {len(self.means), len(self.deviations)} != {CHANNELS[self.mode]}:
            raise ValueError(f"{CHANNELS[self.mode]} means and deviations of a picture in {self.mode}")
        return self

    @property
    def columns(self) -> Mapping[str, Kind]:
        """The column of the files."""
        return {self.column: "file"}

    def pixels(self, files: pl.Series) -> Tensor:
        """The pictures of a column, uint8 [N, C, H, W].

        Raises:
            DataError: Names the first that cannot be read, or has another size or mode.
        """
        shape = (CHANNELS[self.mode], self.height, self.width)
        found = torch.empty((len(files), *shape), dtype=torch.uint8)
        size = (self.height, self.width) if self.drawn else None
        for place, file in enumerate(files):
            own = pixels(file["content"], file["name"], self.mode if self.turned else None, size)
            if own.shape != shape:
                other = len(own) != shape[0]
                raise DataError(
                    file["name"],
                    f"a picture of {self.height} x {self.width} in {self.mode}, as the first that trains",
                    f"one of {own.shape[1]} x {own.shape[2]} in {'gray' if len(own) == 1 else 'colour'}",
                    f'say mode = "{self.mode}" in [input] to turn all into that'
                    if other
                    else f"say size = [{self.height}, {self.width}] in [input] to draw all to that",
                )
            found[place] = torch.from_numpy(own)
        return found

    def read(self, rows: Rows) -> "Pixels":
        """The pictures."""
        return Pixels(self.pixels(rows.inputs[self.column]), self.grid[0] * self.grid[1])

    @property
    def grid(self) -> tuple[int, int]:
        """Patches from top to bottom, and from left to right."""
        return -(-self.height // self.patch), -(-self.width // self.patch)

    def refuse(self, rows: Rows) -> None:
        """Refuse pictures that are damaged, or of another size or mode."""
        self.pixels(rows.inputs[self.column])

    def plain(self, rows: Rows) -> pl.DataFrame:
        """The shades of a small gray picture, 28 x 28 at most, as columns of numbers for references."""
        gray = self.pixels(rows.inputs[self.column]).float().mean(1, keepdim=True)
        side = (min(PLAIN, self.height), min(PLAIN, self.width))
        small = nn.functional.adaptive_avg_pool2d(gray, side).flatten(1).numpy()
        return pl.DataFrame(small, schema=[f"{self.column} pixel {n}" for n in range(small.shape[1])])

    def notes(self) -> tuple[str, ...]:
        """Nothing to know."""
        return ()


@dataclass(frozen=True)
class Pixels(Fields):
    """Pictures of rows.

    Args:
        values_BCHW: uint8.
        places: Of the sequence that each becomes.
    """

    values_BCHW: Tensor
    places: int

    @property
    def lengths_B(self) -> Tensor:  # noqa: N802
        """As many places as patches, of each row."""
        return torch.full((len(self.values_BCHW),), self.places, device=self.values_BCHW.device)

    def take(self, rows: NDArray[np.int64]) -> "Pixels":
        """Some of the rows."""
        return Pixels(self.values_BCHW[torch.from_numpy(rows)], self.places)

    def to(self, device: torch.device) -> "Pixels":
        """The same on another device."""
        return Pixels(self.values_BCHW.to(device), self.places)


class Input(AnyInput):
    """Embeds patches: what stands there, and in which row and column of the picture.

    Args:
        config: Options.
        reader: Of the pictures.
        width: Of a vector.
    """

    means_C11: Tensor
    deviations_C11: Tensor

    def __init__(self, config: Config, reader: Reader, width: int) -> None:
        super().__init__()
        channels = CHANNELS[reader.mode]
        for name, values in (("means_C11", reader.means), ("deviations_C11", reader.deviations)):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)
        rows, columns = reader.grid
        self.edges = (0, columns * reader.patch - reader.width, 0, rows * reader.patch - reader.height)
        stem = _convolutions if config.stem == "convolutions" else _patches
        self.stem = stem(channels, config.patch, width)
        self.rows_HD = nn.Parameter(torch.randn(rows, width) * INITIAL_DEVIATION)
        self.columns_WD = nn.Parameter(torch.randn(columns, width) * INITIAL_DEVIATION)
        self.scale = width**0.5  # layers need numbers of about 1
        self.movement = Movement(config.flip, config.shift, config.turn, config.zoom)
        self.dropout = Dropout(config.dropout)

    def forward(self, fields: Fields) -> Embedded:
        """A vector for each patch, row by row."""
        assert isinstance(fields, Pixels)
        told_BCHW = (fields.values_BCHW.float() - self.means_C11) / self.deviations_C11
        if self.training:
            told_BCHW = moved(told_BCHW, self.movement)
        stood_BDHW = self.stem(nn.functional.pad(told_BCHW, self.edges))
        places_HWD = self.rows_HD[:, None] + self.columns_WD
        hidden_BLD = (stood_BDHW.permute(0, 2, 3, 1) + self.scale * places_HWD).flatten(1, 2)
        return Embedded(self.dropout(hidden_BLD), Layout(causal=False))


def _patches(channels: int, patch: int, width: int) -> nn.Module:
    return nn.Conv2d(channels, width, patch, stride=patch)


def _convolutions(channels: int, patch: int, width: int) -> nn.Module:
    """Two convolutions for each halving, the channels growing to the width; one where nothing is halved."""
    layers: list[nn.Module] = []
    halvings = patch.bit_length() - 1
    for step in range(max(1, halvings)):
        out = max(min(8, width), width >> max(0, halvings - 1 - step))
        for stride in (1, 2)[: 1 + (halvings > 0)]:
            layers += [nn.Conv2d(channels, out, 3, stride=stride, padding=1), _norm(out), nn.GELU()]
            channels = out
    return nn.Sequential(*layers, nn.Conv2d(channels, width, 1))


def _norm(channels: int) -> nn.GroupNorm:
    """Of groups of eight channels: it needs no other picture of the batch."""
    return nn.GroupNorm(channels // 8 if channels % 8 == 0 else 1, channels)
