"""Arrays in safetensors files, of which names, types and shapes are known before a byte of them is read.

Knows nothing of what the arrays mean.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from intertask.errors import IntertaskError
from intertask.storage.untrusted import json_of, open_regular

_TYPES = {"F32": "float32", "F64": "float64", "I64": "int64", "I32": "int32", "U8": "uint8", "BOOL": "bool"}
_HEADER = 4 << 20  # longest header, in bytes: some twenty thousand arrays


@dataclass(frozen=True)
class Form:
    """What an array is like: its type, as NumPy names it, and its shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


def forms(path: Path) -> dict[str, Form]:
    """The arrays of a file by name; none of them is read.

    Raises:
        IntertaskError: It is no regular file, its header is none, or it does not hold what the header says.
    """
    with open_regular(path) as handle:
        try:
            length = int.from_bytes(handle.read(8), "little")
            content = handle.read(length) if length <= _HEADER else b""
            size = handle.seek(0, 2)
        except OSError:
            length, content, size = 0, b"", 0
    if not 2 <= length == len(content):
        raise IntertaskError(str(path), "a safetensors file", "another or a truncated one")
    table = json_of(content, str(path))
    if not isinstance(table, dict):
        raise IntertaskError(str(path), "a table of arrays", type(table).__name__)
    found = {name: _form(name, entry, path) for name, entry in table.items() if name != "__metadata__"}
    expected = 8 + length + sum(form.size for form in found.values())
    if size != expected:
        raise IntertaskError(str(path), f"{expected:,} bytes, as its header says", f"{size:,} bytes")
    return found


def _form(name: str, entry: object, path: Path) -> Form:
    table = entry if isinstance(entry, dict) else {}
    dtype, shape = _TYPES.get(str(table.get("dtype"))), table.get("shape")
    if dtype is None:
        raise IntertaskError(f"{path} {name}", f"one of {', '.join(_TYPES)}", repr(table.get("dtype")))
    if not isinstance(shape, list) or not all(type(side) is int and 0 <= side < 1 << 40 for side in shape):
        raise IntertaskError(f"{path} {name}", "a shape of whole numbers", repr(shape))
    return Form(dtype, tuple(shape))


def refuse_others(path: Path, found: Mapping[str, Form], expected: Mapping[str, Form], what: str) -> None:
    """Refuse a file whose arrays are not those that are expected.

    Args:
        path: Of the file.
        found: Its arrays.
        expected: What they must be like.
        what: The arrays in words, for the error.

    Raises:
        IntertaskError: Names the first array that is missing, foreign or of another type or shape.
    """
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            raise IntertaskError(
                str(path),
                f"{what}: {name} {expected.get(name, 'in no place')}",
                str(found.get(name, "no such array")),
            )


def read(path: Path, most: float = math.inf) -> dict[str, NDArray[np.generic]]:
    """The arrays of a file by name.

    Args:
        path: Of a file whose `forms` have been found right.
        most: Largest absolute value of a number with a fraction.

    Raises:
        IntertaskError: The file is damaged, or a number is not finite or larger than that.
    """
    try:
        arrays: dict[str, NDArray[np.generic]] = load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise IntertaskError(str(path), "a complete safetensors file", str(error)) from None
    for name, array in arrays.items():
        if array.size and array.dtype.kind == "f":
            low, high = float(array.min()), float(array.max())  # both are NaN where any number is
            if not -most <= low <= high <= most or math.isinf(low) or math.isinf(high):
                worst = high if not abs(low) > abs(high) else low
                raise IntertaskError(
                    f"{path} {name}",
                    f"finite numbers of at most {most:g}" if most < math.inf else "finite numbers",
                    f"{worst:g}",
                )
    return arrays
