"""How times are spelt: what can be read in one way only is read. Knows nothing of numbers and units.

Whether 08/09/2011 is in August or September is not guessed at: the whole column decides, where it can, and
otherwise the error offers both forms, ready to be written into a recipe.
"""

import re
from dataclasses import dataclass
from functools import cache

import polars as pl

from intertask.data.tables import Table
from intertask.errors import DataError

_SAMPLE = 1_000
_AROUND = ("[]", "()", "''", '""')  # what some logs put around a time
LATER = 0.01  # share of times outside of the 1970s from which on the first moment of 1970 means nothing
# Forms that Polars reads at once; whatever is written otherwise is taken apart below, at ten times the cost.
_FAST = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S%z",
)
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_ZONE = (
    r"(?:\s*(?:Z|z|UTC|GMT))?"
    r"(?:\s*(?P<sign>[+-])(?P<ahead>\d{1,2})(?::?(?P<minutes>\d{2}))?(?:\s*[\[(][^\])]*[\])])?)?"
)
_DAYNAME = r"(?:[A-Za-z]{2,9}\.?,?\s+)?"
_TIME = rf"(?:(?:\s*[Tt]\s*|\s*[,_]\s*|\s+(?:at\s+)?|:){_CLOCK}{_ZONE})?"
_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_SWAPPED = rf"^(?P<first>\d{{1,2}})[-/.](?P<other>\d{{1,2}})[-/.](?P<year>\d{{4}}){_TIME}$"
_FORMS = (
    rf"^(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}}){_TIME}$",
    r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:[Tt_ ]?(?P<hour>\d{2}):?(?P<minute>\d{2})"
    rf"(?::?(?P<second>\d{{2}})(?:[.,](?P<fraction>\d{{1,9}}))?)?{_ZONE})?$",
    rf"^{_DAYNAME}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-/.\s]\s*{_NAME}[-/,\s]\s*(?P<year>\d{{4}}){_TIME}$",
    rf"^{_DAYNAME}{_NAME}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_TIME}$",
    rf"^{_DAYNAME}{_NAME}\s+(?P<day>\d{{1,2}})\s+{_CLOCK}{_ZONE}\s+(?P<year>\d{{4}})$",
    rf"^(?P<year>\d{{4}})[-/\s]{_NAME}[-/\s](?P<day>\d{{1,2}}){_TIME}$",
)
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_NUMBER_OF = {name[:length]: place for place, name in enumerate(_MONTHS, 1) for length in (3, len(name))} | {
    "sept": 9
}


@dataclass(frozen=True)
class SpeltTimes:
    """What was found out about a column of text.

    Args:
        value: Datetime in microseconds, naive UTC; null where it cannot be read.
        later: Whether there are other times than those of the 1970s, which may be nothing, misspelt.
        notes: What decided between two readings.
    """

    value: pl.Expr
    later: bool = False
    notes: tuple[str, ...] = ()


def spelt(
    table: Table, source: str, text: pl.Expr, time_format: str | None, column: pl.Expr | None = None
) -> SpeltTimes:
    """The times of a column of text.

    Args:
        table: The rows.
        source: The column, for messages.
        text: The text, trimmed, null where it is missing; a column of the result.
        time_format: How times are spelt, in the notation of chrono; None finds it out.
        column: The same as a column of the file; None for a column that is no text in the file.

    Raises:
        DataError: None of the text can be read, or day and month cannot be told apart.
    """
    if time_format is not None:
        later = column is not None and table.share(~column.str.contains("197", literal=True)) >= LATER
        return SpeltTimes(_naive(text, time_format), later)
    assert column is not None
    sample = table.collect(table.rows.select(column.drop_nulls().head(_SAMPLE).alias("text")))["text"]
    fast = next((form for form in _FAST if len(sample) and _reads_all(form, sample)), None)
    forms, swapped, later = _survey(table, column, fast)
    day_first = None if swapped is None else _order(table, source, swapped)
    if len(sample) and fast is None and not forms and swapped is None:
        raise _unreadable(table, source, sample)
    value = _read(text, fast, forms, day_first)
    notes = () if swapped is None else (f"times in {source!r} are read {_says(swapped, day_first)}",)
    return SpeltTimes(value, later, notes)


def _read(text: pl.Expr, fast: str | None, forms: list[str], day_first: bool | None) -> pl.Expr:
    readings, left = [], text
    if fast is not None:
        readings.append(_naive(text, fast))
        left = pl.when(readings[0].is_null()).then(text)
    readings += [_assembled(left, form) for form in forms]
    if day_first is not None:
        names = ("day", "month") if day_first else ("month", "day")
        form = _SWAPPED.replace("<first>", f"<{names[0]}>").replace("<other>", f"<{names[1]}>")
        readings.append(_assembled(left, form))
    return pl.coalesce(readings) if readings else _naive(text, _FAST[0])


def _survey(
    table: Table, column: pl.Expr, fast: str | None
) -> tuple[list[str], dict[str, int | str] | None, bool]:
    """The forms that occur beside the fast one, what is known of the swapped one, and if 1970 is unusual."""
    left = column if fast is None else pl.when(_naive(column, fast).is_null()).then(column)
    texts = table.rows.select(column.alias("text"), left.alias("left"))
    other, later = table.collect(
        texts.select(pl.col("left").count(), (~pl.col("text").str.contains("197", literal=True)).mean())
    ).row(0)
    if not other:
        return [], None, (later or 0.0) >= LATER
    left = pl.col("left")
    parts = texts.filter(left.is_not_null()).with_columns(
        pl.col("left").str.extract_groups(_SWAPPED).struct.field(name).cast(pl.Int32, strict=False)
        for name in ("first", "other")
    )
    first, second = pl.col("first"), pl.col("other")
    day_first = first.is_between(13, 31) & (second <= 12)
    month_first = second.is_between(13, 31) & (first <= 12)
    found = table.collect(
        parts.select(
            *(left.str.contains(form).any().alias(f"{place}") for place, form in enumerate(_FORMS)),
            first.count().alias("swapped"),
            day_first.sum().alias("day first"),
            month_first.sum().alias("month first"),
            left.filter(first.is_not_null()).first().alias("example"),
            left.filter(day_first).first().alias("day example"),
            left.filter(month_first).first().alias("month example"),
        )
    ).row(0, named=True)
    forms = [form for place, form in enumerate(_FORMS) if found[f"{place}"]]
    return forms, found if found["swapped"] else None, (later or 0.0) >= LATER


def _order(table: Table, source: str, swapped: dict[str, int | str]) -> bool:
    """Whether the day comes first, which the whole column must say with one voice.

    Raises:
        DataError: It says nothing, or both.
    """
    if bool(swapped["day first"]) != bool(swapped["month first"]):
        return bool(swapped["day first"])
    example = str(swapped["example"])
    forms = [form for form in candidates(example) if form.startswith(("%d", "%m"))]
    why = "no day after the 12th decides" if not swapped["day first"] else "both orders occur"
    if swapped["day first"]:
        example = f"{swapped['day example']!r} and {swapped['month example']!r}"
    else:
        example = repr(example)
    raise DataError(
        f"{table.name} column {source!r}",
        "times whose day and month can be told apart",
        f"{_short(example)}: {why}",
        f"set {_offered(forms)}",
    )


def _says(swapped: dict[str, int | str], day_first: bool | None) -> str:
    order = "day" if day_first else "month"
    return f"{order} first, as {swapped[f'{order} example']!r} can be read in no other way"


def _assembled(text: pl.Expr, form: str) -> pl.Expr:
    """Text taken apart by a pattern and put together as a time; null where it does not fit."""
    parts = text.str.extract_groups(form)

    def number(name: str, default: int | None = None) -> pl.Expr:
        if f"<{name}>" not in form:
            return pl.lit(default, dtype=pl.Int64)
        found = parts.struct.field(name).cast(pl.Int64, strict=False)
        return found if default is None else found.fill_null(default)

    month = number("month")
    if "<name>" in form:
        name = parts.struct.field("name").str.to_lowercase()
        month = name.replace_strict(_NUMBER_OF, default=None, return_dtype=pl.Int64)
    date = pl.concat_str([number("year"), month, number("day")], separator="-")
    days = date.str.to_date("%Y-%m-%d", strict=False).cast(pl.Int64)
    hour, minute, second = (number(name, 0) for name in ("hour", "minute", "second"))
    fraction = parts.struct.field("fraction").fill_null("").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64)
    is_valid = (hour < 24) & (minute < 60) & (second <= 60)
    if "<half>" in form:
        half = parts.struct.field("half").str.to_lowercase()
        is_valid &= half.is_null() | hour.is_between(1, 12)
        hour = (
            pl.when(half.is_null())
            .then(hour)
            .otherwise(hour % 12 + pl.when(half == "p").then(12).otherwise(0))
        )
    is_valid |= (hour == 24) & (minute == 0) & (second == 0) & (fraction == 0)
    sign = pl.when(parts.struct.field("sign") == "-").then(-1).otherwise(1)
    ahead = number("ahead", 0) * 60 + number("minutes", 0)
    is_valid &= (ahead <= 15 * 60) & (number("minutes", 0) < 60)
    seconds = ((days * 24 + hour) * 60 + minute - sign * ahead) * 60 + second
    ticks = seconds * 1_000_000 + fraction
    return pl.when(is_valid).then(ticks).cast(pl.Datetime("us"))


def _naive(text: pl.Expr, form: str) -> pl.Expr:
    # chrono reads "+01" by %#z alone, which takes "+0100" and "+01:00" as well
    parsed = text.str.to_datetime(form.replace("%z", "%#z"), strict=False, time_unit="us", exact=True)
    is_aware = any(zone in form for zone in ("%z", "%#z", "%:z"))
    return parsed.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if is_aware else parsed


def candidates(example: str) -> list[str]:
    """Forms, in the notation of chrono, that read a text as a time between 1970 and 2099."""
    if len(example) > 2 and example[0] + example[-1] in _AROUND:
        return [example[0] + form + example[-1] for form in candidates(example[1:-1])]
    dates = [
        separator.join(parts)
        for separator in (".", "/", "-", " ", "")
        for parts in (
            ("%Y", "%m", "%d"),
            ("%d", "%m", "%Y"),
            ("%m", "%d", "%Y"),
            ("%d", "%b", "%Y"),
            ("%d", "%m", "%y"),
            ("%m", "%d", "%y"),
            ("%y", "%m", "%d"),
            ("%d", "%b", "%y"),
            ("%Y", "%d", "%m"),
        )
    ]
    dates += ["%Y年%m月%d日", "%Y-%j", "%G-W%V-%u"]
    clocks = ["%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p", "%H.%M", "%H.%M.%S", "%Hh%M"]
    clocks += ["%I.%M.%S %p", "%I.%M.%S%.f %p"]
    joints = [" ", "T", ", ", ":", "-", "_"]
    forms = [*dates, *(date + joint + clock for date in dates for joint in joints for clock in clocks)]
    forms += [form + zone for form in forms[len(dates) :] for zone in (" %z", "%z")]
    one, shape = pl.Series([example]), _shape(example)
    return [form for form in forms if shape in _shapes(form) and _reads_all(form, one)]


def _shape(text: str) -> str:
    """What a text looks like: `0` for digits, `a` for letters, and what stands between them."""
    return re.sub(r"\s+", " ", re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", text)))


@cache
def _shapes(form: str) -> frozenset[str]:
    """What the texts of a form look like; of thousands of forms few are left to be tried."""
    plain, zone, _ = form.partition("%z")
    words = plain.replace("%b", "a").replace("%p", "a").replace("%.f", ".0")
    shape = re.sub("0+", "0", _shape(re.sub("%[A-Za-z]", "0", words)))
    zones = ("+0", "-0", "+0:0", "-0:0", "a") if zone else ("",)
    return frozenset(shape + ahead for ahead in zones)


def _reads_all(form: str, sample: pl.Series) -> bool:
    read = sample.to_frame("text").select(_naive(pl.col("text"), form))["text"]
    return not read.has_nulls() and bool(read.dt.year().is_between(1970, 2099).any())


def _unreadable(table: Table, source: str, sample: pl.Series) -> DataError:
    example = str(sample[0])
    forms = candidates(example)
    hint = f"set {_offered(forms)}" if forms else "if it is the column of the times, say how by time_format"
    return DataError(
        f"{table.name} column {source!r}",
        "times that can be read in one way only",
        f"unreadable time {_short(repr(example))}",
        hint,
    )


def _offered(forms: list[str]) -> str:
    return " or ".join(f'time_format = "{form}"' for form in forms[:3]) if forms else "time_format"


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:120]}..."
