"""What may be passed to a public call: each argument is checked once, at the door, by its type.

Lists come as whatever holds one: a list, a generator, a column of Polars, pandas, Arrow or numpy. Each is
read once, so that an iterator gives its elements to the answer and not to a check.
"""

import errno
import os
import reprlib
from collections.abc import Iterable, Mapping, Sized
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from intertask.errors import RequestError

Id = str | int

MOST = 10_000_000  # elements of a list
MOST_UNCOUNTED = 2_000_000  # of a generator: one without an end is refused and not waited for
WIDE = 2**63  # the first number that 64 bits do not hold
LONGEST = 500  # characters of a name
EXACT = 2**53  # whole numbers above it are no longer told apart by floats
_IDS = "text or whole numbers"
_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 80


def shown(value: object) -> str:
    """A value as a message names it: one short line, whatever it is."""
    try:
        text = _BRIEF.repr(value)
    except Exception:  # a number of 5,000 digits, or an object whose own `repr` fails
        text = f"<{type(value).__name__}>"
    text = " ".join(part.strip() for part in text.splitlines())
    return text if text.isprintable() else ascii(text)[1:-1]


def elements(
    given: object, where: str, expected: str, hint: str = "", *, ordered: bool = True
) -> list[object]:
    """What a list, a column or an iterator holds, read once.

    Args:
        given: What was passed.
        where: The argument's name.
        expected: What should have been passed.
        hint: What to do instead.
        ordered: Refuse sets, which have no order.

    Raises:
        RequestError: It holds no list of elements, or more than `MOST` of them.
    """
    if isinstance(given, list):
        return given
    if isinstance(given, pl.Series):
        return given.to_list()
    if isinstance(given, np.ndarray) and given.ndim and given.dtype.kind in "biufUOT":
        held: list[object] = given.tolist()
        return held
    frame = isinstance(given, pl.LazyFrame) or hasattr(given, "columns")
    listed = isinstance(given, Iterable) and not isinstance(
        given, str | bytes | bytearray | memoryview | Mapping | np.ndarray | pl.Expr
    )
    if not listed or frame or (ordered and isinstance(given, set | frozenset)):
        hint = "pass one column of it" if frame else hint
        raise RequestError(where, expected, type(given).__name__ if frame else shown(given), hint)
    try:
        most = MOST if isinstance(given, Sized) else MOST_UNCOUNTED
        endless = isinstance(given, Sized) and len(given) > most
    except OverflowError:  # a range
        endless = True
    if callable(convert := getattr(given, "to_pylist", None)):  # Arrow, whose elements know their array
        given = convert()
    assert isinstance(given, Iterable)
    found = [] if endless else list(islice(given, most + 1))
    if endless or len(found) > most:
        raise RequestError(where, f"{most:,} elements at most", "more", "ask in several parts")
    return found


def ids(given: object, where: str, *, ordered: bool = True) -> pl.Series:
    """Ids as a series of Int64 or String. A float that is a whole number is one, as pandas makes them.

    Raises:
        RequestError: It is no list of ids, or an element is none.
    """
    if isinstance(given, pl.Series) and given.dtype != pl.Object:
        return _column(given, where)
    hint = f"write {where}=[{shown(given)}]" if isinstance(given, str | int) else ""
    values = elements(given, where, "a list of ids", hint, ordered=ordered)
    if not set(map(type, values)) <= {str, int}:
        return _series([identifier(value, where) for value in values], where)
    return _series([value for value in values if isinstance(value, str | int)], where)


def identifier(value: object, where: str, expected: str = _IDS) -> Id:
    """One id.

    Raises:
        RequestError: It is neither text nor a whole number.
    """
    if type(value) is str or type(value) is int:
        return value
    if isinstance(value, str) and not isinstance(value, Enum):  # of numpy, as a rule
        return str.__str__(value)
    if (
        isinstance(value, np.integer) and value.dtype.kind in "iu"
    ):  # an interval of time is such an integer, too
        return int(value)
    if isinstance(value, float | np.floating) and value.is_integer() and abs(float(value)) <= EXACT:
        return int(value)
    raise RequestError(
        where, expected, shown(value), "" if expected != _IDS else "pass ids as the log has them"
    )


def _series(values: list[Id], where: str) -> pl.Series:
    kinds = set(map(type, values))
    numbers = [value for value in values if isinstance(value, int)] if kinds == {int} else []
    if numbers and min(numbers) >= -WIDE and max(numbers) < WIDE:
        return pl.Series(where, numbers, dtype=pl.Int64)
    try:  # beyond 64 bits a log has its ids as text
        texts = values if kinds == {str} else [_spelled(value, where) for value in values]
        return pl.Series(where, texts, dtype=pl.String)
    except UnicodeEncodeError:
        bad = next(value for value in values if not is_text(value))
        raise RequestError(where, "text in Unicode", shown(bad)) from None


def _spelled(value: Id, where: str) -> str:
    try:
        return str(value)
    except ValueError:
        raise RequestError(where, "an id of the log", "a number of thousands of digits") from None


def is_text(value: Id) -> bool:
    """Whether it can be written as UTF-8: half of a surrogate pair cannot."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def _column(column: pl.Series, where: str) -> pl.Series:
    """A column of Polars in the two types that ids have."""
    dtype = column.dtype
    if column.has_nulls():
        raise RequestError(
            where, "an id in every row", f"{column.null_count()} without", "drop_nulls() first"
        )
    if dtype in (pl.String, pl.Int64):
        return column
    if dtype.is_integer():
        narrow = column.cast(pl.Int64, strict=False)
        return column.cast(pl.String) if narrow.has_nulls() else narrow
    if dtype.is_float():
        strange = column.filter(~((column == column.floor()) & (column.abs() <= EXACT)))
        if strange.is_empty():
            return column.cast(pl.Int64)
        raise RequestError(where, _IDS, shown(strange[0]), "pass ids as the log has them")
    if isinstance(dtype, pl.Categorical | pl.Enum) or column.is_empty():
        return column.cast(pl.String) if column.len() else pl.Series(where, [], dtype=pl.String)
    raise RequestError(where, _IDS, f"a column of the type {dtype}", "pass ids as the log has them")


def whole(value: object, where: str, least: int, most: int, what: str = "") -> int:
    """A whole number within bounds, of Python or numpy.

    Raises:
        RequestError: It is none, or out of bounds.
    """
    if isinstance(value, np.integer) and value.dtype.kind in "iu":
        value = int(value)
    if type(value) is int and least <= value <= most:
        return value
    raise RequestError(where, f"{least} to {most}{what}", shown(value))


def flag(value: object, where: str) -> bool:
    """True or False.

    Raises:
        RequestError: It is anything else, as the text "no", which is true.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise RequestError(where, "True or False", shown(value))


def word(value: object, where: str, expected: str = "a name", longest: int = LONGEST) -> str:
    """A name.

    Raises:
        RequestError: It is no text, or a very long one.
    """
    if isinstance(value, str) and not isinstance(value, Enum) and len(value) <= longest and is_text(value):
        return str.__str__(value)
    if isinstance(value, str) and len(value) > longest:
        raise RequestError(where, f"at most {longest:,} characters", f"{len(value):,}")
    raise RequestError(where, expected, shown(value))


def words(given: Mapping[str, object], expected: str) -> None:
    """Texts, each None where it is left out.

    Raises:
        RequestError: Names the first argument that is neither.
    """
    for where, value in given.items():
        if value is not None:
            word(value, where, expected)


def names(given: object, where: str) -> list[str]:
    """A list of names of columns.

    Raises:
        RequestError: It is none.
    """
    hint = f"write {where}=[{shown(given)}]" if isinstance(given, str) else ""
    return [
        word(value, where, "names of columns") for value in elements(given, where, "a list of columns", hint)
    ]


def moment(value: object, where: str) -> int:
    """Seconds since 1970; a naive time is UTC, as in the event log.

    Raises:
        RequestError: It is no moment: a date has no hour, a text is not read.
    """
    if not isinstance(value, datetime):
        raise RequestError(where, "a datetime", shown(value), "datetime.fromisoformat(...) reads one")
    aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    try:
        return int(aware.timestamp())
    except (OverflowError, ValueError, OSError):  # pandas' NaT is a datetime, too
        raise RequestError(where, "a datetime within the years 1 to 9999", shown(value)) from None


def path(value: object, where: str, what: str = "a folder") -> Path:
    """A path that a system can be asked about.

    Raises:
        RequestError: It is none.
    """
    if isinstance(value, str | Path) and str(value):
        try:
            os.lstat(value)
        except OSError as error:  # what is not there may be made
            fits = error.errno != errno.ENAMETOOLONG
        except ValueError:  # a character that no name has
            fits = False
        else:
            fits = True
        if fits:
            return Path(value)
    raise RequestError(where, f"the path of {what}", shown(value))
