"""Bytes of a picture as its pixels, or one line that says what is wrong with them."""

import io
import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from intertask.errors import DataError, RecipeError

Mode = Literal["gray", "colour"]
CHANNELS: dict[Mode, int] = {"gray": 1, "colour": 3}
FORMATS = ("PNG", "JPEG", "BMP")
MOST_PIXELS = 1 << 26  # of a file; a small one may unpack to gigabytes
_MODES: dict[str, Mode] = {"1": "gray", "L": "gray", "RGB": "colour", "P": "colour"}  # as Pillow names them
_PILLOW: dict[Mode, str] = {"gray": "L", "colour": "RGB"}


def pixels(
    content: bytes, where: str, mode: Mode | None = None, size: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """A picture, [C, H, W].

    Args:
        content: Of its file.
        where: Its name, for messages.
        mode: What it is turned into; its own if left out.
        size: Height and width that it is drawn to; its own if left out.

    Raises:
        DataError: It is no picture, is damaged, or has a mode of its own that is neither gray nor colour.
        RecipeError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise RecipeError(
            "[input] image", "the package Pillow", "none", "pip install 'intertask[images]'"
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes, which are looked at here
            Image.open(io.BytesIO(content), formats=FORMATS).verify()  # of a PNG its last bytes, too
            found = Image.open(io.BytesIO(content), formats=FORMATS)
            if found.width * found.height > MOST_PIXELS:
                raise DataError(where, f"{MOST_PIXELS:,} pixels at most", f"{found.width} x {found.height}")
            own = found.mode
            upright = ImageOps.exif_transpose(found)
            if own.startswith("I") or own == "F":
                raise DataError(where, "8 bits a channel", f"mode {own}", "save it with 8 bits")
            if mode is None:
                mode = _MODES.get(own)
                if mode is None:
                    hint = 'say mode = "gray" or "colour" in [input] to turn all into that'
                    raise DataError(where, "a picture in gray or in colour of 8 bits", f"mode {own}", hint)
            drawn = upright.convert(_PILLOW[mode])
            if size is not None and (drawn.height, drawn.width) != size:
                drawn = drawn.resize(size[::-1], Image.Resampling.BILINEAR)
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(where, f"a picture as {', '.join(FORMATS)}", _kind(content)) from None
    except Exception as error:  # a decoder fails on a damaged file in many ways
        raise DataError(where, "a whole picture", f"a damaged one: {_line(error)}", "save it again") from None
    values = np.array(drawn, dtype=np.uint8)
    return np.ascontiguousarray(values[None] if values.ndim == 2 else values.transpose(2, 0, 1))


def _kind(content: bytes) -> str:
    return f"{len(content):,} bytes of something else" if content else "an empty file"


def _line(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().split("\n", maxsplit=1)[0]
