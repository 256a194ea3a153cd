"""What reads pictures: their size and mode, and the shades of training rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import Field, StrictStr, model_validator
from torch import Tensor, nn

from intertask.data.rows import Rows
from intertask.data.seam import Fields
from intertask.errors import DataError
from intertask.inputs import Kind
from intertask.inputs import Reader as AnyReader
from intertask.inputs._pictures import CHANNELS, Mode, pixels

MOST_PLACES = 4_096  # of a picture
PLAIN = 28  # pixels of a side of the picture that references see
Places = Annotated[int, Field(ge=1, le=MOST_PLACES)]
Numbers = Annotated[int, Field(ge=1, le=65_536)]
Side = Annotated[int, Field(ge=1, le=4_096)]


def spread(values_NCHW: Tensor) -> tuple[Tensor, Tensor]:
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
        encoder: The config of a pretrained encoder; None without one.
        weights: SHA-256 of that encoder.
        made: Places and numbers of a place that it makes of a picture.
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
    encoder: dict[str, Any] | None = None
    weights: StrictStr | None = Field(default=None, max_length=100)
    made: (
        tuple[Annotated[int, Field(ge=1, le=MOST_PLACES)], Annotated[int, Field(ge=1, le=65_536)]] | None
    ) = None

    @model_validator(mode="after")
    def _a_number_for_each_channel(self) -> "Reader":
        if {len(self.means), len(self.deviations)} != {CHANNELS[self.mode]}:
            raise ValueError(f"{CHANNELS[self.mode]} means and deviations of a picture in {self.mode}")
        if (self.encoder is None) != (self.made is None):
            raise ValueError("an encoder and what it makes, or neither")
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
        return Pixels(self.pixels(rows.inputs[self.column]), self.num_places)

    @property
    def num_places(self) -> int:
        """Places of the sequence that a picture becomes."""
        return self.grid[0] * self.grid[1] if self.made is None else self.made[0]

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
