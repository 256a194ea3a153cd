"""When two ids are the same: integers and their normal spelling are, `7` and `"7"`, but not `"007"`."""

import polars as pl

from intertask.errors import DataError


def alike(first: pl.Series, second: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Two series of ids in one type: that of whole numbers if both hold some that fit it, String otherwise.

    Raises:
        DataError: One of them holds no ids.
    """
    first, second = plain(first), plain(second)
    if first.dtype == second.dtype:
        return first, second
    return first.cast(pl.String), second.cast(pl.String)


def plain(ids: pl.Series) -> pl.Series:
    """Ids as Int64 if they are whole numbers that fit, as UInt64 if that holds them, as String otherwise.

    Raises:
        DataError: The series holds no ids.
    """
    if ids.dtype.is_integer():
        if ids.dtype not in (pl.UInt64, pl.Int128, pl.UInt128):
            return ids.cast(pl.Int64)
        for kind in (pl.Int64, pl.UInt64):
            held = ids.cast(kind, strict=False)
            if held.null_count() == ids.null_count():
                return held
        return ids.cast(pl.String)
    if ids.dtype.is_float():
        # Frames that pass through pandas turn integers with gaps into floats.
        whole = ids.cast(pl.Int64, strict=False)
        if (ids.is_null() | ids.is_nan() | (ids == whole)).all():
            return whole
    elif isinstance(ids.dtype, pl.String | pl.Categorical | pl.Enum | pl.Null):
        return ids.cast(pl.String)
    raise DataError("ids", "text or integers", f"the type {ids.dtype}")
