"""Recordings as sequences: a place for each few hundredths of a second.

A file is a WAV or FLAC, of which the log-mel spectrum is taken, or a .npy of ready features [frames,
numbers]. The reader is fitted on the rows that train alone: rate, and mean and deviation of each number of a
frame.
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
from intertask.inputs._sounds import NUMPY, Floats, Spectrum, features, log_mel, resampled, wave
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import AllItems
from intertask.nn.layout import Layout
from intertask.nn.shortened import Shortened, masked, shorter, stretched
from intertask.nn.waves import waves

READY = 0  # the rate of features that were made elsewhere
Bands = Annotated[int, Field(ge=1, le=512)]


class Config(InputConfig):
    """How a recording becomes vectors.

    Args:
        column: The column of files; may be left out where there is one.
        rate: Samples a second of every recording. If left out that of the first that trains.
        other_rates: "refuse" a recording of another rate, or "resample" it.
        num_mels: Bands of the spectrum.
        window_milliseconds: Length of a window.
        hop_milliseconds: From one window to the next.
        longest: Seconds of a recording at most; of ready features so many hundredths.
        normalised: Each number of a frame has mean 0 and deviation 1 over all recordings that train
            ("training"), or over each "recording" by itself, so that voices and microphones are alike.
        deltas: Tell beside each number how fast it changes, and how fast that changes.
        subsample: Places become fewer by this factor, a power of two.
        kernel: Places that each convolution sees, an odd number.
        stretch: Training plays recordings faster or slower by up to this share.
        mask_spans: Training blanks out so many spans of each recording,
        mask_frames: of up to so many frames each.
        mask_bands: Training blanks out so many bands of each recording,
        mask_width: of up to so many numbers of a frame each.
        dropout: Share of the numbers of a vector that training drops.
    """

    kind: Literal["audio"] = "audio"
    column: str | None = Field(default=None, max_length=500)
    rate: int | None = Field(default=None, ge=1_000, le=1_000_000)
    other_rates: Literal["refuse", "resample"] = "refuse"
    num_mels: Bands = 40
    window_milliseconds: float = Field(default=25.0, ge=1, le=1_000)
    hop_milliseconds: float = Field(default=10.0, ge=1, le=1_000)
    longest: float = Field(default=60.0, gt=0, le=3_600)
    normalised: Literal["training", "recording"] = "recording"
    deltas: bool = False
    subsample: Literal[1, 2, 4, 8] = 4
    kernel: int = Field(default=5, ge=1, le=101)
    stretch: float = Field(default=0.0, ge=0, le=0.5)
    mask_spans: int = Field(default=0, ge=0, le=20)
    mask_frames: int = Field(default=20, ge=1, le=1_000)
    mask_bands: int = Field(default=0, ge=0, le=20)
    mask_width: int = Field(default=6, ge=1, le=500)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _odd(self) -> "Config":
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel an odd number, as 5, not {self.kernel}")
        return self

    def fit(self, rows: Rows) -> "Reader":
        """The reader of some training rows.

        Raises:
            RecipeError: No column of files, or several and none is named.
            DataError: A recording is damaged, silent or empty, or is of another rate than is said.
        """
        column = rows.file(self.column, "[input] audio")
        found = rows.inputs[column]
        first = found[0]
        if bytes(first["content"]).startswith(NUMPY):
            rate, numbers = READY, features(first["content"], first["name"], self._most).shape[1]
        else:
            rate = self.rate or wave(first["content"], first["name"], self.longest)[1]
            numbers = self.num_mels
        bare = Reader(
            column=column,
            rate=rate,
            resampled=self.other_rates == "resample",
            window=max(1, round(rate * self.window_milliseconds / 1_000)),
            hop=max(1, round(rate * self.hop_milliseconds / 1_000)),
            longest=self.longest,
            numbers=numbers,
            deltas=self.deltas,
            halvings=self.subsample.bit_length() - 1,
            alone=self.normalised == "recording",
            means=(0.0,) * numbers,
            deviations=(1.0,) * numbers,
        )
        frames = np.concatenate([bare.frames(file["content"], file["name"]) for file in found])
        means, deviations = frames.mean(0, dtype=np.float64), frames.std(0, dtype=np.float64)
        if not deviations.max() > 0:
            raise DataError(rows.report.source, "recordings that differ", "the same frame everywhere")
        deviations = np.where(deviations > 0, deviations, 1.0)
        return bare.model_copy(
            update={"means": tuple(means.tolist()), "deviations": tuple(deviations.tolist())}
        )

    @property
    def _most(self) -> int:
        return int(self.longest * 100) * 512

    def reader(self, table: object) -> "Reader":
        """The reader that wrote a table of JSON."""
        return Reader.model_validate(table)

    def build(self, dimensions: Dimensions, items: AllItems | None) -> "Input":
        """The input."""
        reader = dimensions.fields.get(INPUT)
        if not isinstance(reader, Reader):
            raise RecipeError("[input] kind", "an input of a log", repr(self.kind), 'use kind = "events"')
        return Input(self, reader, dimensions.width)


Finite = Annotated[float, Field(ge=-1e6, le=1e6)]


class Reader(AnyReader):
    """Reads recordings; what it holds was found in training rows alone.

    Args:
        column: Of the files.
        rate: Samples a second; 0 of ready features.
        resampled: Whether a recording of another rate is turned into this one; refused otherwise.
        window: Samples of a window.
        hop: Samples from one window to the next.
        longest: Seconds of a recording at most.
        numbers: Of a frame, without deltas.
        deltas: Whether two more are told for each.
        halvings: How often the length is halved.
        alone: Whether each recording is normalised by itself.
        means: Of the numbers.
        deviations: Of the numbers.
    """

    column: StrictStr = Field(max_length=500)
    rate: int = Field(ge=0, le=1_000_000)
    resampled: bool
    window: int = Field(ge=1, le=1_000_000)
    hop: int = Field(ge=1, le=1_000_000)
    longest: float = Field(gt=0, le=3_600)
    numbers: Bands
    deltas: bool
    halvings: int = Field(ge=0, le=3)
    alone: bool
    means: tuple[Finite, ...]
    deviations: tuple[Annotated[float, Field(gt=0, le=1e6)], ...]

    @model_validator(mode="after")
    def _a_number_for_each(self) -> "Reader":
        if {len(self.means), len(self.deviations)} != {self.numbers}:
            raise ValueError(f"{self.numbers} means and deviations")
        return self

    @property
    def columns(self) -> Mapping[str, Kind]:
        """The column of the files."""
        return {self.column: "file"}

    def frames(self, content: bytes, where: str) -> Floats:
        """The frames of a recording, [frames, numbers], as they are.

        Raises:
            DataError: It cannot be read, or is of another rate or kind than those that train.
        """
        if content.startswith(NUMPY) != (self.rate == READY):
            kinds = ("a recording as WAV or FLAC", "features as .npy")
            expected, found = kinds if self.rate else kinds[::-1]
            raise DataError(where, f"{expected}, as the first that trains", found)
        if self.rate == READY:
            told = features(content, where, int(self.longest * 100) * 512)
            if told.shape[1] != self.numbers:
                raise DataError(where, f"{self.numbers} numbers a frame", f"{told.shape[1]}")
            if len(told) > self.longest * 100:
                raise DataError(where, f"{self.longest * 100:,.0f} frames at most", f"{len(told):,}")
            return told
        samples, rate = wave(content, where, self.longest)
        if rate != self.rate:
            if not self.resampled:
                raise DataError(
                    where,
                    f"{self.rate:,} samples a second",
                    f"{rate:,}",
                    'say other_rates = "resample" in [input], or convert it',
                )
            samples = resampled(samples, rate, self.rate)
        return log_mel(samples, Spectrum(self.rate, self.window, self.hop, self.numbers))

    def _told(self, content: bytes, where: str) -> Floats:
        """The frames of a recording, normalised, with their deltas."""
        own = self.frames(content, where)
        means, deviations = np.array(self.means), np.array(self.deviations)
        if self.alone:
            means, spread = own.mean(0), own.std(0)
            deviations = np.where(spread > 1e-3 * deviations, spread, deviations)
        told = ((own - means) / deviations).clip(-20, 20)
        if self.deltas:
            first = np.gradient(told, axis=0) if len(told) > 1 else np.zeros_like(told)
            second = np.gradient(first, axis=0) if len(told) > 1 else np.zeros_like(told)
            told = np.concatenate([told, 2 * first, 4 * second], axis=1)
        return np.asarray(told, np.float32)

    def read(self, rows: Rows) -> "Frames":
        """The recordings."""
        found = [self._told(file["content"], file["name"]) for file in rows.inputs[self.column]]
        lengths = np.array([len(own) for own in found], np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if found else lengths
        width = self.numbers * (3 if self.deltas else 1)
        values = np.concatenate(found) if found else np.zeros((0, width), np.float32)
        return Frames(torch.from_numpy(values), starts, lengths, self.halvings)

    def refuse(self, rows: Rows) -> None:
        """Refuse recordings that are damaged, empty or silent, or of another rate."""
        for file in rows.inputs[self.column]:
            self.frames(file["content"], file["name"])

    def plain(self, rows: Rows) -> pl.DataFrame:
        """Mean, deviation and length of each recording, for references."""
        found = [self.frames(file["content"], file["name"]) for file in rows.inputs[self.column]]
        told = np.array([[*own.mean(0), *own.std(0), len(own)] for own in found], np.float32)
        told = told.reshape(len(found), 2 * self.numbers + 1)
        return pl.DataFrame(told, schema=[f"{self.column} sound {n}" for n in range(told.shape[1])])

    def notes(self) -> tuple[str, ...]:
        """Nothing to know."""
        return ()


@dataclass(frozen=True)
class Frames(Fields):
    """Recordings one behind the other.

    Args:
        values_NX: float32, the frames of all.
        starts: int64 [B], the first frame of each.
        counts: int64 [B], frames of each.
        halvings: How often the length will be halved.
    """

    values_NX: Tensor
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    halvings: int

    @property
    def lengths_B(self) -> Tensor:  # noqa: N802
        """Places of each row once they have become fewer."""
        return shorter(torch.from_numpy(self.counts), self.halvings).to(self.values_NX.device)

    def padded(self) -> tuple[Tensor, Tensor]:
        """All as one tensor [B, L, X], and frames of each row."""
        pieces = [
            self.values_NX[start : start + count]
            for start, count in zip(self.starts, self.counts, strict=True)
        ]
        whole = nn.utils.rnn.pad_sequence(pieces, batch_first=True)
        return whole, torch.from_numpy(self.counts).to(whole.device)

    def take(self, rows: NDArray[np.int64]) -> "Frames":
        """Some of the rows."""
        counts = self.counts[rows]
        pieces = [self.values_NX[self.starts[row] : self.starts[row] + self.counts[row]] for row in rows]
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(rows) else counts
        return Frames(torch.cat(pieces) if pieces else self.values_NX[:0], starts, counts, self.halvings)

    def to(self, device: torch.device) -> "Frames":
        """The same on another device."""
        return Frames(self.values_NX.to(device), self.starts, self.counts, self.halvings)


class Input(AnyInput):
    """Embeds frames: convolutions make places fewer, and say when in the recording each is.

    Args:
        config: Options.
        reader: Of the recordings.
        width: Of a vector.
    """

    def __init__(self, config: Config, reader: Reader, width: int) -> None:
        super().__init__()
        self.config, self.numbers = config, reader.numbers
        told = reader.numbers * (3 if reader.deltas else 1)
        self.stem = Shortened(told, width, reader.halvings, config.kernel, config.dropout)
        self.clock = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, fields: Fields) -> Embedded:
        """A vector for each place."""
        assert isinstance(fields, Frames)
        frames_BLX, lengths_B = fields.padded()
        if self.training:
            own = self.config
            frames_BLX, lengths_B = stretched(frames_BLX, lengths_B, own.stretch)
            frames_BLX = masked(
                frames_BLX, lengths_B, own.mask_spans, own.mask_frames, own.mask_bands, own.mask_width
            )
        hidden_BLD, lengths_B = self.stem(frames_BLX, lengths_B)
        hidden_BLD = hidden_BLD + self.clock * waves(
            hidden_BLD.shape[1], hidden_BLD.shape[2], hidden_BLD.device
        )
        return Embedded(hidden_BLD, Layout(lengths_B=lengths_B, causal=False))
