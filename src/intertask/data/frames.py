"""Frames of other libraries as Polars' own: pandas, Arrow, and whatever speaks Arrow's protocol."""

import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

import polars as pl

from intertask.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@runtime_checkable
class ArrowStream(Protocol):
    """What gives its columns through Arrow's PyCapsule interface: pyarrow, polars, pandas, DuckDB, ..."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The capsule."""


@runtime_checkable
class ArrowArray(Protocol):
    """One batch of columns, through the same interface."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """The capsules of schema and array."""


@runtime_checkable
class Interchange(Protocol):
    """What knows the dataframe interchange protocol alone."""

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> object:
        """The interchange object."""


Frame = pl.DataFrame | pl.LazyFrame | ArrowStream | ArrowArray | Interchange | Mapping[str, Sequence[object]]

_EXPECTED = "a path, a polars, pandas or Arrow table, or a dict of columns"
_HINT = "make a frame of it, e.g. polars.DataFrame(rows)"


def lazy(source: object, name: str) -> pl.LazyFrame:
    """A frame as Polars' lazy one; a LazyFrame itself is read in pieces, whenever it is asked.

    Of pandas' index those levels become columns that have a name. Columns of mixed objects become text.

    Raises:
        DataError: It is no table, its columns are not of one length or have one name twice.
    """
    if isinstance(source, pl.LazyFrame):
        return source
    if isinstance(source, pl.DataFrame):
        return source.lazy()
    try:
        return _frame(source).lazy()
    except _NoTableError:
        raise DataError(
            name if name != "DataFrame" else "source", _EXPECTED, type(source).__name__, _HINT
        ) from None
    except ImportError as error:
        raise DataError(name, "pyarrow, to read this frame", str(error), "pip install pyarrow") from None
    except DataError:
        raise
    except Exception as error:  # what a foreign object does is not ours to know
        message = str(error).strip().split("\n", maxsplit=1)[0][:200] or type(error).__name__
        raise DataError(name, _EXPECTED, f"{type(source).__name__}: {message}", _HINT) from None


class _NoTableError(Exception):
    """The source is something else."""


def _frame(source: object) -> pl.DataFrame:
    if type(source).__module__.partition(".")[0] == "pandas":
        return _of_pandas(source)
    if isinstance(source, pl.Series):
        raise _NoTableError
    if isinstance(source, ArrowStream | ArrowArray):
        found = pl.DataFrame(source)
        # A stream of plain values, one column, is no table.
        if found.columns in ([""], ["column_0"]) and not hasattr(source, "schema"):
            raise _NoTableError
        return found
    if isinstance(source, Interchange):
        from pyarrow import interchange  # Polars has left that protocol

        return pl.DataFrame(interchange.from_dataframe(source))
    if isinstance(source, Mapping) and all(isinstance(name, str) for name in source):
        if any(isinstance(column, str) or not hasattr(column, "__len__") for column in source.values()):
            raise _NoTableError
        return pl.DataFrame(dict(source), strict=False)
    raise _NoTableError


def _of_pandas(source: object) -> pl.DataFrame:
    import pandas as pd

    if not isinstance(source, pd.DataFrame):
        raise _NoTableError
    if importlib.util.find_spec("pyarrow") is None:
        raise ImportError("no pyarrow, which pandas needs for it")
    named = [level for level in source.index.names if level is not None and level not in source.columns]
    table = source.reset_index(level=named) if named else source
    names = [str(column) for column in table.columns]
    if len(set(names)) < len(names):
        twice = next(column for column in names if names.count(column) > 1)
        raise DataError(
            "DataFrame", "every column to have its own name", f"{twice!r} twice", "rename one of them"
        )
    columns = [_column(table.iloc[:, place], name) for place, name in enumerate(names)]
    return pl.DataFrame(columns)


def _column(column: "pd.Series[object]", name: str) -> pl.Series:
    try:
        return cast(pl.Series, pl.from_pandas(column)).alias(name)
    except Exception:
        if column.dtype != object:  # pandas' own kinds, such as sparse columns
            return pl.Series(name, column.to_numpy())
    missing = column.isna()
    return pl.Series(
        name,
        [None if gone else _spelt(value) for value, gone in zip(column, missing, strict=True)],
        pl.String,
    )


def _spelt(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
