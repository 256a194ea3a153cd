"""Small pictures whose class can be seen: a bright bar stands upright or lies."""

import io

import numpy as np
import polars as pl
from PIL import Image

from intertask.data.rows import Rows


def png(values: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    held = io.BytesIO()
    Image.fromarray(values).save(held, kind, **options)
    return held.getvalue()


def shades(count: int, side: int = 8, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    values = random.integers(0, 90, (count, side, side)).astype(np.uint8)
    upright = np.arange(count) % 2 == 0
    for place in range(count):
        at = random.integers(1, side - 1)
        values[place][(slice(None), at) if upright[place] else (at, slice(None))] = 230
    return values, ["upright" if own else "lying" for own in upright]


def bars(count: int = 40, side: int = 8, seed: int = 0) -> Rows:
    values, labels = shades(count, side, seed)
    return of([png(own) for own in values], labels)


def of(files: list[bytes], labels: list[str] | None = None) -> Rows:
    named = {"label": labels or ["a"] * len(files)}
    return Rows.read(pl.DataFrame({"picture": files, **named}), files=["picture"], labels=["label"])
