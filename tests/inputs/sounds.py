"""Small recordings whose text can be heard: each letter is a tone, or a pattern of ready features."""

import io

import numpy as np
import polars as pl
import soundfile

from intertask.data.rows import Rows

RATE = 8_000
TONES = {"a": 400.0, "b": 1_000.0, "c": 2_400.0}


def tone(hertz: float, seconds: float = 0.2, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def recording(samples: np.ndarray, rate: int = RATE, kind: str = "FLAC") -> bytes:
    held = io.BytesIO()
    soundfile.write(held, samples, rate, format=kind, subtype="PCM_16")
    return held.getvalue()


def npy(values: np.ndarray) -> bytes:
    held = io.BytesIO()
    np.save(held, values)
    return held.getvalue()


def patterns(text: str, random: np.random.Generator) -> np.ndarray:
    """Eight frames of four numbers for each letter, three for a space."""
    places = {"a": 0, "b": 1, "c": 2, " ": 3}
    found = np.concatenate([np.repeat([np.eye(4)[places[own]]], 8, axis=0) for own in text])
    return (found + 0.05 * random.normal(size=found.shape)).astype(np.float32)


def of(files: list[bytes], texts: list[str | None] | None = None) -> Rows:
    frame = pl.DataFrame({"sound": files, "text": texts or ["a"] * len(files)})
    return Rows.read(frame, files=["sound"], labels=["text"])


def texts(count: int, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    words = ["ab", "ba", "cab", "ac"]
    return [" ".join(random.choice(words, random.integers(1, 4))) for _ in range(count)]


def spoken(count: int = 40, seed: int = 0) -> Rows:
    own = texts(count, seed)
    random = np.random.default_rng(seed + 1)
    return of([npy(patterns(text, random)) for text in own], own)  # type: ignore[arg-type]


def tunes(count: int = 6) -> Rows:
    """Recordings of different lengths."""
    return of([recording(tone(400 + 300 * place, 0.1 + 0.05 * place)) for place in range(count)])
