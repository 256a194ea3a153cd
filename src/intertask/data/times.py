"""How a column of times is understood. Knows nothing of logs.

A column is judged as a whole: its median says what its numbers count, and whether 1970 is a date in it or
the spelling of nothing. What does not fit the rest is refused row by row, never bent to fit.
"""

from collections.abc import Sequence

import polars as pl

from intertask.data.columns import (
    MISSING,
    Column,
    Problem,
    is_text,
    raw_of,
    trimmed,
    wrong_type,
)
from intertask.data.spellings import LATER, SpeltTimes, spelt
from intertask.data.tables import Table
from intertask.errors import DataError

SECONDS_TO_2100 = 4_102_444_800
UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_KNOWN = 10**8  # seconds since 1970 below which a number says no unit: 1973
_FAR = 2 * 86_400 * 365 // 12  # two months: what 2100 in seconds is, read in milliseconds, and less
_DAYS = (20_000, 73_051)  # 1954 to 2099, in the days of a spreadsheet
_DAY_OF_1970 = 25_569
_WRITTEN = {  # numbers that are dates, written without anything between their parts
    "dates": (19_700_101, 21_000_101),  # 20240221
    "stamps of hours": (1_970_010_100, 2_100_010_100),  # 2024022112
    "stamps of minutes": (197_001_010_000, 210_001_010_000),  # 202402211248
    "stamps": (19_700_101_000_000, 21_000_101_000_000),  # 20240221124852
}
_NO_OTHER = Problem()
_NUMBER = r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]\+?[0-9]{1,2})?$"
_HALF_HOUR, _LAST_ZONE = 1_800 * 10**6, 14 * 3_600 * 10**6


def moment(
    table: Table,
    source: str,
    name: str = "time",
    time_format: str | None = None,
    missing: Sequence[str] = MISSING,
) -> Column:
    """A time as naive UTC in microseconds; unreadable ones, and those outside 1970 to 2099, are refused.

    Understood are dates and datetimes (with a zone: converted; without: taken as UTC), text that can be
    read in one way only (`intertask.data.spellings`), and numbers: seconds, milliseconds, microseconds or
    nanoseconds since 1970, whichever the size of the column's median says (below 1e11, 1e14, 1e17), days
    of a spreadsheet (45343.53), dates such as 20140131 and stamps such as 20140131235959 or 201401312359.
    Numbers that count something else than the rest are refused. Where the rest lies later, 0, -1 and the
    first moment of 1970 are missing.

    Args:
        table: The rows.
        source: The column of the file.
        name: Of the result.
        time_format: In the notation of chrono, or what numbers count: "seconds", "milliseconds",
            "microseconds", "nanoseconds" or "days".
        missing: Words for a value that is missing.

    Raises:
        DataError: No such column, or its type holds no times, or none of its text is a time, or day and
            month cannot be told apart.
    """
    kind, raw = table.require(source, name), raw_of(name)
    if time_format is not None and "%" not in time_format and time_format not in (*UNITS, "days"):
        raise DataError(
            "time_format",
            f"a form such as %d/%m/%Y %H:%M, or one of {', '.join(UNITS)}, days",
            repr(time_format),
            "leave it out to have it found",
        )
    if isinstance(kind, pl.Datetime | pl.Date):
        if isinstance(kind, pl.Datetime) and kind.time_zone:
            raw = raw.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        value, absent = raw.cast(pl.Datetime("us"), strict=False), raw.is_null()
        later = table.share(pl.col(source).dt.year() // 10 != 197) >= LATER
        return _column(name, source, value, absent | (_is_epoch(value) if later else pl.lit(False)))
    if kind.is_numeric():
        if time_format is not None and "%" in time_format:
            found = spelt(table, source, raw.cast(pl.Int64, strict=False).cast(pl.String), time_format)
            return _column(name, source, found.value, raw.is_null())
        return _counted(
            table,
            source,
            name,
            raw.cast(pl.Float64, strict=False),
            pl.col(source),
            raw.is_null(),
            time_format,
        )
    if not is_text(kind):
        raise wrong_type(table, source, kind, "times, as datetimes, text or numbers")
    text, column = trimmed(raw, missing), trimmed(pl.col(source), missing)
    counts = time_format is not None and "%" not in time_format
    if counts or (time_format is None and table.share(column.str.contains(_NUMBER)) >= 0.5):
        number = text.cast(pl.Float64, strict=False)
        return _counted(table, source, name, number, column, text.is_null(), time_format)
    return _text(name, source, text, spelt(table, source, text, time_format, column))


def _text(name: str, source: str, text: pl.Expr, found: SpeltTimes) -> Column:
    absent = text.is_null() | text.str.starts_with("0000-00-00")
    if found.later:
        absent |= _is_epoch(found.value)
    return _column(name, source, found.value, absent, notes=found.notes)


def _column(
    name: str,
    source: str,
    value: pl.Expr,
    missing: pl.Expr,
    other: Problem = _NO_OTHER,
    notes: tuple[str, ...] = (),
) -> Column:
    ticks = value.dt.epoch("us")
    outside = (
        (value.is_null(), "unreadable time"),
        (ticks < 0, "time before 1970"),
        (ticks >= SECONDS_TO_2100 * 10**6, "time after 2099"),
    )
    problem = Problem(((missing, "missing time"),)) + other + Problem(outside)
    return Column(name, source, value, problem, notes)


def _counted(
    table: Table,
    source: str,
    name: str,
    number: pl.Expr,
    column: pl.Expr,
    absent: pl.Expr,
    what: str | None,
) -> Column:
    """Numbers: what they count is found out unless it is said."""
    absent |= number.is_nan().fill_null(False)
    what, known = _what(table, column.cast(pl.Float64, strict=False), what)
    if known:
        absent |= number.is_in([0.0, -1.0])
    value, other = _since(number, what), _other(number, what) if known else Problem()
    return _column(name, source, value, absent, other)


def _what(table: Table, column: pl.Expr, said: str | None) -> tuple[str, bool]:
    """What the numbers count, and whether they are times for certain and no small clock of one's own."""
    filled = column.filter(column.is_finite() & (column > 0))
    middle, days = table.collect(
        table.rows.select(filled.median().alias("middle"), filled.is_between(*_DAYS).mean().alias("days"))
    ).row(0)
    middle = 0.0 if middle is None else float(middle)
    if said is not None:
        return said, middle >= _KNOWN * UNITS.get(said, 0)
    if _DAYS[0] <= middle < _DAYS[1] and days >= 0.99:
        return "days", True
    for what, (low, high) in _WRITTEN.items():
        # The last seconds before 2037, and milliseconds of 1976, are as large: nearly all must be dates.
        if low <= middle < high and (
            not what.startswith("stamps of") or table.share(_since(filled, what).is_not_null()) >= 0.99
        ):
            return what, True
    limits = zip(UNITS.items(), (1e11, 1e14, 1e17, float("inf")), strict=True)
    what, unit = next(unit for unit, limit in limits if middle < limit)
    return what, middle >= _KNOWN * unit


def _since(number: pl.Expr, what: str) -> pl.Expr:
    if what in _WRITTEN:
        low, high = _WRITTEN[what]
        text = number.cast(pl.Int64, strict=False).cast(pl.String).str.pad_end(len("20240221124852"), "0")
        whole = pl.when((number == number.floor()) & (number >= low) & (number < high)).then(text)
        return whole.str.to_datetime("%Y%m%d%H%M%S", strict=False, time_unit="us", exact=True)
    # What lies far outside is capped before it is scaled, so that it cannot wrap around into the present.
    if what == "days":
        days = number.clip(_DAY_OF_1970 - 1, 1e5) - _DAY_OF_1970
        ticks = (days * 86_400_000).round() * 1_000  # a spreadsheet keeps milliseconds, and no more
    else:
        unit = UNITS[what]
        ticks = (number.clip(-unit, SECONDS_TO_2100 * unit) / unit * 1e6).round()
    return ticks.cast(pl.Int64, strict=False).cast(pl.Datetime("us"))


def _other(number: pl.Expr, what: str) -> Problem:
    """Why a number does not count what the rest counts."""
    ranges = {
        "days": _DAYS,
        **_WRITTEN,
        **{other: (_KNOWN * unit, SECONDS_TO_2100 * unit) for other, unit in UNITS.items()},
    }
    low, high = ranges[what]
    if what in UNITS:  # a date of 1971 may stand in a log of later ones, if it can be nothing else
        low = _FAR * UNITS[what]
    written = dict.fromkeys(_WRITTEN, "a stamp") | {
        "days": "days of a spreadsheet",
        "dates": "a date such as 20240221",
    }
    cases = []
    for other, (start, stop) in ranges.items():
        if other != what:
            outside = (number < low) | (number >= high)
            if what == "seconds" and other == "dates":
                outside = number == number.floor()
            is_other = (number >= start) & (number < stop) & outside
            reason = f"time in {written.get(other, other)}, the rest in {written.get(what, what)}"
            cases.append((is_other, reason))
    return Problem((*cases, ((number >= 0) & (number < low), "time far from the rest")))


def _is_epoch(value: pl.Expr) -> pl.Expr:
    """Whether a time is the first moment of 1970 in some time zone, which is what 0 becomes."""
    ticks = value.dt.epoch("us")
    return (ticks.abs() <= _LAST_ZONE) & (ticks % _HALF_HOUR == 0)
