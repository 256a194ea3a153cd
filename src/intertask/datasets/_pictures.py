"""Arrays of gray pictures as the files that a picture is read of."""

import gzip
import io
import struct
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.errors import DataError, RecipeError


def as_files(name: str, pictures: NDArray[np.uint8]) -> pl.Series:
    """Gray pictures [n, H, W] as PNG files, which lose nothing.

    Raises:
        RecipeError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise RecipeError(
            f"data set {name}", "the package Pillow", "none", "pip install 'intertask[images]'"
        ) from None
    files = []
    for picture in pictures:
        held = io.BytesIO()
        Image.fromarray(picture).save(held, "PNG", compress_level=1)
        files.append(held.getvalue())
    return pl.Series("picture", files, dtype=pl.Binary)


def idx(path: Path) -> NDArray[np.uint8]:
    """The bytes of a gzipped IDX file, in its shape.

    Raises:
        DataError: It is another one.
    """
    try:
        content = gzip.decompress(path.read_bytes())
        kind, num_axes = struct.unpack_from(">HBB", content)[1:]
        shape = struct.unpack_from(f">{num_axes}I", content, 4)
        if kind != 8:
            raise ValueError(f"kind {kind}")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * num_axes).reshape(shape)
    except (OSError, EOFError, ValueError, struct.error) as error:
        raise DataError(str(path), "a gzipped IDX file of bytes", str(error) or "another one") from None
