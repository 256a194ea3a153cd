"""Bytes of a recording as a wave or as ready features, and a wave as its log-mel spectrum."""

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly

from intertask.errors import DataError, RecipeError

Floats = NDArray[np.float32]
NUMPY = b"\x93NUMPY"  # how a .npy file begins
RATES = (100, 768_000)  # samples a second; a filter for more would fill the memory
STREAMED = 0x7FFF0000  # a size from here on says that whoever wrote the file did not know it
AU_HEADER = 24  # bytes, at least
CONTAINERS = ("WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "AIFF", "AU")  # of which a cut end is seen
SILENT = 1e-4  # of the loudest wave that can be written; below it 16 bits hold three steps
LEAST_POWER = 1e-6


@dataclass(frozen=True)
class Spectrum:
    """How a wave becomes a spectrum.

    Args:
        rate: Samples a second.
        window: Samples of a window.
        hop: Samples from one window to the next.
        bands: Mel bands.
    """

    rate: int
    window: int
    hop: int
    bands: int


def features(content: bytes, where: str, most: int) -> Floats:
    """Ready features of a .npy file, [frames, numbers].

    Args:
        content: Of the file.
        where: Its name, for messages.
        most: Numbers that it may hold.

    Raises:
        DataError: It is damaged, or holds anything else.
    """
    expected = "an array of numbers [frames, features]"
    try:
        found = np.lib.format.read_array(_bounded(content, where, most), allow_pickle=False)
    except DataError:
        raise
    except Exception as error:  # NumPy fails on a damaged file in many ways
        raise DataError(where, expected, f"a damaged file: {str(error).splitlines()[0]}") from None
    if found.ndim != 2 or found.dtype.kind not in "fiu" or not found.shape[1]:
        raise DataError(where, expected, f"{found.dtype} of the shape {list(found.shape)}")
    if not len(found):
        raise DataError(where, "a recording", "an empty one: no frame")
    told: Floats = found.astype(np.float32)
    if not np.isfinite(told).all():
        raise DataError(where, "finite numbers", "NaN or infinite ones")
    return told


def _bounded(content: bytes, where: str, most: int) -> io.BytesIO:
    """The file, after its header has been looked at: a few bytes may name an array of any size."""
    held = io.BytesIO(content)
    version = np.lib.format.read_magic(held)
    read: Callable[[io.BytesIO], tuple[tuple[int, ...], bool, np.dtype[np.generic]]] = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )
    shape = read(held)[0]
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if count > most:
        raise DataError(where, f"at most {most:,} numbers", f"{count:,}", "cut it into pieces")
    held.seek(0)
    return held


def wave(content: bytes, where: str, longest: float) -> tuple[Floats, int]:
    """The samples of a WAV or FLAC file, -1 to 1, the mean of its channels; and their rate.

    Args:
        content: Of the file.
        where: Its name, for messages.
        longest: Seconds.

    Raises:
        DataError: It is no recording, damaged, empty, silent or too long.
        RecipeError: soundfile is not installed.
    """
    try:
        import soundfile
    except (ImportError, OSError) as error:
        raise RecipeError(
            "[input] audio", "the package soundfile", str(error), "pip install 'intertask[audio]'"
        ) from None
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate, frames = int(file.samplerate), int(file.frames)
            if file.format not in CONTAINERS:
                raise DataError(where, f"one of {', '.join(CONTAINERS)}", file.format, "save it as WAV")
            if frames > longest * rate:
                raise DataError(
                    where,
                    f"a recording of at most {longest:g} seconds",
                    f"one of {frames / rate:.1f}",
                    "cut it into pieces, or raise longest in [input]",
                )
            found = file.read(dtype="float32", always_2d=True)
    except DataError:
        raise
    except Exception as error:  # libsndfile fails on a damaged file in many ways
        said = (str(error).splitlines() or [type(error).__name__])[0].rpartition(": ")[2]
        kind = f"something else or a damaged one: {said}" if content else "an empty file"
        raise DataError(where, "a recording as WAV or FLAC, or features as .npy", kind) from None
    if not RATES[0] <= rate <= RATES[1]:
        expected = f"{RATES[0]:,} to {RATES[1]:,} samples a second"
        raise DataError(where, expected, f"{rate:,}", "is its header damaged?")
    _refuse_cut_off(content, where)
    samples: Floats = found.mean(1)
    if len(samples) < frames:
        raise DataError(
            where, f"{frames:,} samples, as its header says", f"{len(samples):,}", "is it cut off?"
        )
    if not len(samples):
        raise DataError(where, "a recording", "an empty one: no sample")
    if not np.isfinite(samples).all():
        raise DataError(where, "finite samples", "NaN or infinite ones")
    if float(np.abs(samples).max()) < SILENT:
        raise DataError(where, "a recording", "a silent one", "leave it out")
    return samples, rate


def _refuse_cut_off(content: bytes, where: str) -> None:
    """Refuse a file that ends before its header says, of which libsndfile reads what is there."""
    for place, size in _samples(content):
        there = len(content) - place
        if there < size:
            raise DataError(
                where, f"{size:,} bytes of samples, as its header says", f"{there:,}", "is it cut off?"
            )


def _samples(content: bytes) -> Iterator[tuple[int, int]]:
    """Where the samples of a file begin, and their bytes as its header says, if it does."""
    kind = content[:4]
    if kind == b".snd" and len(content) >= AU_HEADER:
        place, size = struct.unpack_from(">II", content, 4)
        if size < STREAMED:
            yield place, size
    if kind not in (b"RIFF", b"RF64", b"FORM"):
        return
    order, place, large = ">" if kind == b"FORM" else "<", 12, 0
    while place + 8 <= len(content):
        name, size = struct.unpack_from(f"{order}4sI", content, place)
        place += 8
        if name == b"ds64" and place + 16 <= len(content):
            (large,) = struct.unpack_from("<Q", content, place + 8)
        if name in (b"data", b"SSND"):
            size = large if kind == b"RF64" and size >= STREAMED else size
            if kind == b"RF64" or size < STREAMED:
                yield place, size
        place += size + size % 2


def resampled(samples: Floats, rate: int, wanted: int) -> Floats:
    """The wave at another rate."""
    common = gcd(rate, wanted)
    told: Floats = resample_poly(samples, wanted // common, rate // common).astype(np.float32)
    return told


def log_mel(samples: Floats, spectrum: Spectrum) -> Floats:
    """Log of the power in each mel band, [frames, bands]; the frames that fit, one at least."""
    size = 1 << (spectrum.window - 1).bit_length()
    held = torch.from_numpy(samples)
    if len(samples) < spectrum.window:
        held = torch.nn.functional.pad(held, (0, spectrum.window - len(samples)))
    frames = held.unfold(0, spectrum.window, spectrum.hop) * torch.hann_window(spectrum.window)
    power = torch.fft.rfft(frames, size).abs().square()
    bands = power @ torch.from_numpy(_filters(spectrum.rate, size, spectrum.bands))
    told: Floats = (bands + LEAST_POWER).log().numpy()
    return told


@lru_cache(maxsize=16)
def _filters(rate: int, size: int, bands: int) -> Floats:
    """Triangles that are equally wide in mel, [frequencies, bands]; each holds one frequency at least."""
    edges_mel = np.linspace(0.0, 2595 * np.log10(1 + rate / 2 / 700), bands + 2)
    edges = 700 * (10 ** (edges_mel / 2595) - 1)
    frequencies = np.linspace(0, rate / 2, size // 2 + 1)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    found = np.maximum(0, np.minimum(rising, falling))
    nearest = np.abs(frequencies - middle).argmin(0)
    found[nearest, np.arange(bands)] = np.maximum(found[nearest, np.arange(bands)], 1e-3)
    filters: Floats = found.astype(np.float32)
    return filters
