"""Arrays of a signal that anybody may have written."""

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from intertask.errors import IntertaskError
from intertask.signals import Arrays

Shapes = dict[str, tuple[str, tuple[int | None, ...]]]


def refuse_others(arrays: Arrays, expected: Shapes, where: str) -> None:
    """Refuse arrays of other names, types or shapes; a side of None has any length.

    Raises:
        IntertaskError: Names the first one.
    """
    for name in sorted(arrays.keys() | expected.keys()):
        if name not in expected or name not in arrays:
            found = "another array" if name in arrays else "none"
            raise IntertaskError(f"{where} {name}", f"the arrays {', '.join(expected)}", found)
        (dtype, shape), array = expected[name], arrays[name]
        fits = len(shape) == array.ndim and all(
            side is None or side == own for side, own in zip(shape, array.shape, strict=True)
        )
        if array.dtype.name != dtype or not fits:
            told = [side if side is not None else "any" for side in shape]
            raise IntertaskError(f"{where} {name}", f"{dtype} {told}", f"{array.dtype} {list(array.shape)}")


def refuse_numbers(numbers: NDArray[np.generic], lows: list[float], highs: list[float], where: str) -> None:
    """Refuse numbers outside their bounds.

    Raises:
        IntertaskError: Names the first one.
    """
    for place, (number, low, high) in enumerate(zip(numbers.tolist(), lows, highs, strict=True)):
        if not low <= number <= high:
            raise IntertaskError(f"{where} {place}", f"a number of {low:g} to {high:g}", f"{number:g}")


def matrix(arrays: Arrays, num_items: int, where: str) -> scipy.sparse.csr_matrix:
    """The sparse matrix [items, items] of `starts`, `columns` and `values`.

    Raises:
        IntertaskError: They are none.
    """
    starts, columns, values = arrays["starts"], arrays["columns"], arrays["values"]
    if len(columns) != len(values):
        raise IntertaskError(f"{where} values", f"{len(columns)} numbers, one a column", str(len(values)))
    if starts[0] != 0 or starts[-1] != len(columns) or (np.diff(starts) < 0).any():
        raise IntertaskError(f"{where} starts", f"numbers that rise from 0 to {len(columns)}", "others")
    if len(columns) and not 0 <= int(columns.min()) <= int(columns.max()) < num_items:
        raise IntertaskError(f"{where} columns", f"numbers of 0 to {num_items - 1}", "others")
    return scipy.sparse.csr_matrix((values, columns, starts), shape=(num_items, num_items))
