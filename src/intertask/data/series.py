"""Windows of a long table: each row with what came before it in its group, and what follows as its label.

A long table has a row for each moment of each group, such as a day of a share. Here each becomes a row of
samples: the columns NAME[-2], NAME[-1], NAME[0] of the last values, and the label NAME+1 of the next one.
Windows are cut before rows are split, as each looks back alone; nothing is scaled here.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from pydantic import Field, model_validator

from intertask.data import tables, times, values
from intertask.data.columns import MISSING, Column, Problem, account, read_columns
from intertask.data.rows import Rows
from intertask.data.tables import Source
from intertask.errors import DataError
from intertask.options.config import Config

GROUP, TIME, MOMENT = "series group", "series time", "moment"
UNUSABLE = "series unusable"
Change = Literal["none", "difference", "log"]
Name = Annotated[str, Field(min_length=1, max_length=500)]


class Series(Config):
    """How windows are cut.

    Args:
        time: The column of the times.
        group: The column of what each series belongs to, such as a share; one series if left out.
        columns: The columns of numbers that windows hold.
        target: The column that is forecast; the first of `columns` if left out.
        window: Rows of a window, the row itself is the last.
        horizons: How many rows ahead the labels lie; one label for each.
        changes: What windows hold: values as they are, their "difference" to the row before, or the
            difference of their logarithms ("log").
        target_change: The same of the label against the row itself.
        step: Take every so many rows of a series alone.
        missing: What becomes of numbers that are missing or cannot be used: "refuse" the table, "fill" in the
            last one before, or "leave_out" the windows that would hold one.
        longest_gap_seconds: Longest time between two rows of a window; any if left out.
        gaps: What becomes of longer ones: "refuse" the table, or "leave_out" the windows.
        time_format: As for `Rows.read`.
        missing_words: Words that stand for a missing number.
        separator: The separator of the columns of a text file; found out if left out.
        encoding: The encoding of a text file.
    """

    time: Name
    group: Name | None = None
    columns: tuple[Name, ...] = Field(min_length=1, max_length=1_000)
    target: Name | None = None
    window: int = Field(default=20, ge=1, le=10_000)
    horizons: tuple[Annotated[int, Field(ge=1, le=10_000)], ...] = Field(
        default=(1,), min_length=1, max_length=100
    )
    changes: Change = "none"
    target_change: Change = "none"
    step: int = Field(default=1, ge=1, le=10_000)
    missing: Literal["refuse", "fill", "leave_out"] = "refuse"
    longest_gap_seconds: int | None = Field(default=None, ge=1, lt=2**40)
    gaps: Literal["refuse", "leave_out"] = "refuse"
    time_format: str | None = None
    missing_words: tuple[str, ...] = MISSING
    separator: str | None = None
    encoding: str | None = None

    @model_validator(mode="after")
    def _each_once(self) -> "Series":
        for names in (self.columns, self.horizons):
            if len(set(names)) < len(names):
                raise ValueError("each column and each horizon once")
        if self.window * len(self.columns) > 100_000:
            raise ValueError("windows of at most 100,000 numbers")
        return self

    @property
    def asked(self) -> str:
        """The column that is forecast."""
        return self.target or self.columns[0]

    def places(self) -> list[str]:
        """The columns of the windows, the oldest first."""
        return [f"{name}[{-back}]" for name in self.columns for back in reversed(range(self.window))]

    def labels(self) -> list[str]:
        """The labels."""
        return [f"{self.asked}+{ahead}" for ahead in self.horizons]


def read(source: Source, series: Series, name: str | None = None, *, answered: bool = True) -> Rows:
    """The windows of a table. Their group is the moment, by which intervals are drawn.

    Args:
        source: A file or a table.
        series: How they are cut.
        name: What reports call the source.
        answered: Whether rows have labels; those that nothing follows are then left out.

    Raises:
        DataError: The table cannot be read; a moment stands twice in a series; numbers are missing, or times
            lie apart, and that is to be refused; or no series is as long as a window.
    """
    table = tables.scan(source, series.separator, name, series.encoding)
    needed = list(dict.fromkeys([*series.columns, series.asked] if answered else series.columns))
    numbers = [values.number(table, own, own, series.missing_words) for own in needed]
    unusable: list[Column] = []
    if series.missing != "refuse":  # a number that cannot be used is a hole; its row stays where it is
        unusable = [
            Column(f"{UNUSABLE} {own.name}", own.source, own.problem.reason.is_not_null()) for own in numbers
        ]
        numbers = [replace(own, problem=Problem()) for own in numbers]
    columns = [
        times.moment(table, series.time, TIME, series.time_format, series.missing_words),
        *([values.word(table, series.group, GROUP, required=True)] if series.group else []),
        *numbers,
        *unusable,
    ]
    _, frame, refused = read_columns(table, columns)
    report = account(table, columns, frame.height, refused)
    report.check(2 * report.refused > report.read)
    if report.refused and series.missing == "refuse":  # a window would close over the row that is left out
        row, reason, column, value = report.rows.row(0)
        hint = 'mend it, or say missing = "fill" or "leave_out"'
        raise DataError(
            f"{report.source} row {row} column {column!r}", "a usable value", f"{reason} ({value!r})", hint
        )
    if series.group is None:
        frame = frame.with_columns(pl.lit("").alias(GROUP))
    frame = frame.sort(GROUP, TIME)
    _refuse_repeated(table.name, frame)
    frame, notes = _filled(table.name, frame, series, needed)
    notes += _without_logarithm(frame, series)
    if bad := sum(int(frame[own.name].sum()) for own in unusable):
        notes.insert(0, f"{bad:,} numbers are unreadable or infinite, and count as missing")
    rows, cut = _windows(table.name, frame, series, answered=answered)
    notes += cut
    if refused.height:
        notes.append(f"{refused.height:,} of {report.read:,} rows cannot be used: {report.summary()}")
    found = Rows.read(
        rows,
        labels=series.labels() if answered else (),
        numbers=series.places(),
        categories=[series.group] if series.group else [],
        group=MOMENT,
        time=TIME,
        name=table.name,
    )
    return replace(found, report=replace(found.report, notes=(*found.report.notes, *notes)))


def _refuse_repeated(where: str, frame: pl.DataFrame) -> None:
    twice = frame.filter(pl.struct(GROUP, TIME).is_duplicated())
    if twice.height:
        first = twice.row(0, named=True)
        raise DataError(
            where,
            "each moment once in a series",
            f"{first[TIME]} twice{_of(first[GROUP])}",
            "name the group of each series, or remove repeats",
        )


def _of(group: str) -> str:
    return f" in {group!r}" if group else ""


def _filled(
    where: str, frame: pl.DataFrame, series: Series, needed: Sequence[str]
) -> tuple[pl.DataFrame, list[str]]:
    """Numbers without holes, as it is said, and what there was to do."""
    holes = frame.filter(pl.any_horizontal(pl.col(needed).is_null()))
    if not holes.height:
        return frame, []
    first = holes.row(0, named=True)
    told = f"{holes.height:,} of {frame.height:,} rows lack a number"
    if series.missing == "refuse":
        lacking = next(name for name in needed if first[name] is None)
        raise DataError(
            f"{where} column {lacking!r}",
            "a number in each row of a series",
            f"{told}, the first at {first[TIME]}{_of(first[GROUP])}",
            'say missing = "fill" or "leave_out" in [data.series]',
        )
    if series.missing == "leave_out":
        return frame, [f"{told}; windows that would hold one are left out"]
    filled = frame.with_columns(pl.col(needed).forward_fill().over(GROUP))
    return filled, [f"{told}, and have the last one before"]


def _hint(frame: pl.DataFrame, series: Series) -> str:
    if _without_logarithm(frame, series):
        return (
            'a shorter window, or "difference" in place of "log", as numbers of 0 or below have no logarithm'
        )
    return "a shorter window, or nearer horizons"


def _changed(column: pl.Expr, before: pl.Expr, change: Change) -> pl.Expr:
    if change == "log":
        ratio = pl.when((column > 0) & (before > 0)).then(column.cast(pl.Float64) / before.cast(pl.Float64))
        return ratio.log()
    return column - before if change == "difference" else column


def _without_logarithm(frame: pl.DataFrame, series: Series) -> list[str]:
    """How many numbers, of those whose logarithm is taken, have none; each is a hole of windows or labels."""
    taken = {*(series.columns if series.changes == "log" else ())}
    if series.target_change == "log":
        taken |= {series.asked} & {*frame.columns}  # it is not read where rows have no labels
    if count := sum(int((frame[name] <= 0).sum()) for name in taken):
        return [f"{count:,} numbers are 0 or below and have no logarithm; what would hold one is left out"]
    return []


def _windows(
    where: str, frame: pl.DataFrame, series: Series, *, answered: bool
) -> tuple[pl.DataFrame, list[str]]:
    asked = pl.col(series.asked)
    shown = [
        _changed(pl.col(name), pl.col(name).shift(1).over(GROUP), series.changes).alias(f"now {name}")
        for name in series.columns
    ]
    labels = [
        _changed(asked.shift(-ahead).over(GROUP), asked, series.target_change).alias(label)
        for ahead, label in zip(series.horizons, series.labels(), strict=True)
    ]
    gap = pl.col(TIME).diff().over(GROUP).dt.total_seconds()
    wide = frame.with_columns(*shown, *(labels if answered else []), gap.alias("series gap"))
    reach = series.window - 1 + (series.changes != "none")
    place = pl.int_range(pl.len()).over(GROUP)
    wide = wide.with_columns(place.alias("series place"), _far(series, reach).alias("series far"))
    notes = _gaps(where, wide, series)
    whole = wide.with_columns(
        pl.col(f"now {name}").shift(back).over(GROUP).alias(f"{name}[{-back}]")
        for name in series.columns
        for back in reversed(range(series.window))
    )
    taken = (pl.col("series place") >= reach) & (pl.col("series place") % series.step == 0)
    whole = whole.filter(taken & ~pl.col("series far"))
    if not whole.height:
        longest = int(wide["series place"].max()) + 1 if wide.height else 0  # type: ignore[arg-type]
        raise DataError(where, f"a series of {reach + 1:,} rows", f"{longest:,} at most", "a shorter window")
    kept = whole.drop_nulls(series.places())
    if lost := whole.height - kept.height:
        notes.append(f"{lost:,} of {whole.height:,} windows have holes and are left out")
    if answered:
        kept = kept.filter(pl.any_horizontal(pl.col(series.labels()).is_not_null()))
    if not kept.height:
        raise DataError(where, "a window without holes that something follows", "none", _hint(frame, series))
    named = {GROUP: series.group} if series.group else {}
    labelled = series.labels() if answered else []
    told = kept.select(
        TIME, pl.col(TIME).cast(pl.String).alias(MOMENT), *named, *series.places(), *labelled
    ).rename(named)
    return told, notes


def _far(series: Series, reach: int) -> pl.Expr:
    """Whether two rows of the window lie too far apart."""
    if series.longest_gap_seconds is None or not reach:
        return pl.lit(False)
    long = (pl.col("series gap") > series.longest_gap_seconds).fill_null(False).cast(pl.Int32)
    return long.rolling_sum(reach, min_samples=1).over(GROUP) > 0


def _gaps(where: str, wide: pl.DataFrame, series: Series) -> list[str]:
    if series.longest_gap_seconds is None:
        return []
    long = wide.filter(pl.col("series gap") > series.longest_gap_seconds)
    if not long.height:
        return []
    first = long.row(0, named=True)
    told = f"{long.height:,} gaps of more than {series.longest_gap_seconds:,} seconds"
    if series.gaps == "refuse":
        raise DataError(
            where,
            f"at most {series.longest_gap_seconds:,} seconds between two rows of a series",
            f"{first['series gap']:,} before {first[TIME]}{_of(first[GROUP])}, and {long.height:,} such gaps",
            'say gaps = "leave_out" in [data.series], or allow longer ones',
        )
    return [f"{told}; windows with one are left out"]


class SeriesFile(Series):
    """A long table in a file, and how windows are cut of it.

    Args:
        path: The table: a file, from the recipe's folder on.
    """

    path: Path
