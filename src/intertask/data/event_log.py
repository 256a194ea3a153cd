"""What happened: who did what to which item, and when. Reads files; knows nothing of arrays or models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import polars as pl

from intertask.data import tables, times, values
from intertask.data.columns import MISSING, Column, account, read_columns
from intertask.data.listed import exploded, refuse_lists
from intertask.data.oddities import num_repeated, oddities
from intertask.data.refusals import REPEATED, Refusals, refused_rows
from intertask.data.tables import Source, Table
from intertask.data.whole_numbers import with_whole_numbers
from intertask.errors import DataError
from intertask.options import arguments
from intertask.terminal.markup import card

_IDS = ("user", "item", "behaviour")
SHOWN = 12  # behaviours in a notebook
_ONE_BEHAVIOUR = "event"


@dataclass(frozen=True)
class EventLog:
    """Events in file order, in the user's own ids.

    Args:
        coded: The events as `frame` shows them, but with text ids as categoricals, so that 20 million of
            them take the room of integers.
        report: Which rows of the source were refused, and why.
        labels: Names of the label columns.
    """

    coded: pl.DataFrame
    report: Refusals
    labels: tuple[str, ...] = ()

    @property
    def frame(self) -> pl.DataFrame:
        """The events in file order, a fresh frame.

        Columns: `user` and `item` (Int64, UInt64 or String), `behaviour` (String), `time` (Datetime in
        microseconds, naive UTC) or `order` (Int64) or neither of them, the label columns (Float32, null
        where missing), and the columns that were kept.
        """
        coded = (name for name in _IDS if self.coded.schema[name] == pl.Categorical)
        return self.coded.with_columns(pl.col(name).cast(pl.String) for name in coded)

    @property
    def num_events(self) -> int:
        """Number of events."""
        return self.coded.height

    @property
    def clock(self) -> Literal["time", "order", "file"]:
        """What orders a user's events; equal ones stay in file order."""
        return (
            "time" if "time" in self.coded.columns else "order" if "order" in self.coded.columns else "file"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        facts = [("events", f"{self.num_events:,}")]
        facts += [(f"{name}s", f"{self.coded[name].n_unique():,}") for name in ("user", "item")]
        counts = self.frame["behaviour"].value_counts(sort=True).head(SHOWN).rows()
        facts.append(("behaviours", ", ".join(f"{name} {count:,}" for name, count in counts)))
        if self.clock == "time" and self.num_events:
            times = self.coded["time"].cast(pl.String)
            facts.append(("time", f"{times.min()!s} to {times.max()!s}"))
        else:
            facts.append(("ordered by", self.clock))
        facts += [("labels", ", ".join(self.labels))] if self.labels else []
        return card("EventLog", [*facts, ("read", self.report.summary())])

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The first and the last time, naive UTC; None without times or events."""
        if self.clock != "time" or not self.num_events:
            return None
        first, last = self.coded["time"].min(), self.coded["time"].max()
        assert isinstance(first, datetime) and isinstance(last, datetime)
        return first, last

    @classmethod
    def read(
        cls,
        source: Source,
        *,
        user: str = "user",
        item: str = "item",
        time: str | None = None,
        order: str | None = None,
        behaviour: str | None = None,
        labels: Mapping[str, str] | Sequence[str] = (),
        keep: Sequence[str] = (),
        time_format: str | None = None,
        missing: Sequence[str] = MISSING,
        duplicates: Literal["keep", "drop"] = "keep",
        separator: str | None = None,
        encoding: str | None = None,
        sequences: bool | None = None,
        strict: bool = False,
        name: str | None = None,
    ) -> "EventLog":
        """A log from a Parquet, CSV (any separator, also .gz) or JSONL file, or from a frame.

        Rows that cannot be used are refused one by one and accounted for in `report`.

        Args:
            source: A path, a table of Polars (also lazy), pandas or Arrow, or a dict of columns.
            user: The column of the user ids.
            item: The column of the item ids.
            time: The column of the times, in any form that can be read in one way only. None: the column
                called `time` if there is one and no `order` is given.
            order: The column of whole numbers that order each user's events, for logs without times.
                None: the column called `order` if there is one and no time. With neither, file order.
            behaviour: The column that says what the user did. None: the column called `behaviour` if
                there is one, else all events are of the one behaviour "event".
            labels: Columns of numbers that tasks may learn, as names or as {label: column}. NaN and blank
                mean missing; infinite ones are refused.
            keep: Further columns to keep, unread.
            time_format: How times are written, in the notation of chrono (`%d/%m/%Y %H:%M`), where they can
                be read in two ways; or what numbers count: "seconds", "milliseconds", "microseconds",
                "nanoseconds" or "days".
            missing: Words that stand for a missing user, item, behaviour, time or label; blank always does.
            duplicates: Whether rows that equal an earlier one in every column that is read are kept, or
                refused ("drop").
            separator: The separator of the columns of a text file; found out if None.
            encoding: The encoding of a text file, as Python names it (`cp1252`, `utf-16`, `gb18030`); None is
                UTF-8, or what the file's first bytes say.
            sequences: Whether a row holds all events of a user, as a list of items and, where there are any,
                lists of times, behaviours and labels beside it. None: a row is an event, and a column that
                seems to hold lists is refused.
            strict: Refuse the file for a single bad row.
            name: What reports and errors call the source; None takes its path, or "DataFrame".

        Raises:
            DataError: The file or a column is missing, or of the wrong kind; all rows are bad; a row is
                bad and `strict` is set.
        """
        if isinstance(source, str | Path):
            source = arguments.path(source, "source", "a file")
        user, item = arguments.word(user, "user"), arguments.word(item, "item")
        arguments.words({"time": time, "order": order, "behaviour": behaviour}, "the name of a column")
        arguments.words({"time_format": time_format, "separator": separator, "encoding": encoding}, "text")
        arguments.words({"name": name}, "text")
        keep, strict = arguments.names(keep, "keep"), arguments.flag(strict, "strict")
        named = _named(labels)
        missing = arguments.names(missing, "missing")
        if not isinstance(duplicates, str) or duplicates not in ("keep", "drop"):
            raise DataError("duplicates", "keep or drop", arguments.shown(duplicates))
        table = tables.scan(source, separator, name, encoding)
        if sequences is None:
            refuse_lists(table, item)
        elif arguments.flag(sequences, "sequences"):
            others = (time or "time", order or "order", behaviour or "behaviour", *named.values(), *keep)
            table = exploded(table, item, others)
        _refuse_shared(table.name, {"user": user, "item": item, "time": time, "order": order})
        _refuse_shared(table.name, {"user": user, "behaviour": behaviour, "time": time, "order": order})
        tables.refuse_names(table.name, [*_IDS, "time", "order", *named, *keep])
        numbers = {user, item, order or "order", *named.values()} - {*keep, behaviour or "behaviour"}
        numbers |= {time or "time"} - {*keep} if time_format is None or "%" not in time_format else set()
        table = with_whole_numbers(table, sorted(numbers), missing)
        columns = [
            values.identifier(table, user, "user", coded=True, missing=missing),
            values.identifier(table, item, "item", coded=True, missing=missing),
            *_what(table, behaviour, missing),
            *_when(table, time, order, time_format, missing),
            *(values.number(table, column, name, missing) for name, column in named.items()),
            *(values.unread(table, name) for name in keep),
        ]
        rows, coded, refused = read_columns(table, columns)
        report = account(table, columns, coded.height, refused)
        report.check(strict)
        if "behaviour" not in coded.columns:
            coded = coded.with_columns(pl.lit(_ONE_BEHAVIOUR).cast(pl.Categorical).alias("behaviour"))
        when = [name for name in ("time", "order") if name in coded.columns]
        coded = coded.select(*_IDS, *when, *named, *keep)
        again = num_repeated(coded)
        report = replace(report, notes=report.notes + oddities(coded, again), repeated=again)
        if again and duplicates == "drop":
            first = coded.select(pl.struct(pl.all()).is_first_distinct()).to_series()
            repeats = refused_rows(rows.filter(~first), REPEATED, user)
            coded = coded.filter(first)
            report = replace(report, kept=coded.height, rows=pl.concat([report.rows, repeats]).sort("row"))
        return cls(coded, report, tuple(named))


def _named(labels: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """The column of each label."""
    pairs = (
        labels.items()
        if isinstance(labels, Mapping)
        else [(name, name) for name in arguments.names(labels, "labels")]
    )
    return {arguments.word(label, "labels"): arguments.word(column, "labels") for label, column in pairs}


def _refuse_shared(name: str, roles: Mapping[str, str | None]) -> None:
    """Refuse one column in two roles, of which one is a slip; what was done may well be the item."""
    taken: dict[str, str] = {}
    for role, column in roles.items():
        if column is not None and (other := taken.setdefault(column, role)) != role:
            found = f"{column!r} for both"
            raise DataError(name, f"a column of its own for {other} and for {role}", found, "name another")


def _what(table: Table, behaviour: str | None, missing: Sequence[str]) -> list[Column]:
    if behaviour is None and "behaviour" not in table.schema:
        return []
    return [
        values.word(table, behaviour or "behaviour", "behaviour", required=True, coded=True, missing=missing)
    ]


def _when(
    table: Table, time: str | None, order: str | None, time_format: str | None, missing: Sequence[str]
) -> list[Column]:
    if time is not None and order is not None:
        raise DataError(
            table.name,
            "time or order",
            f"both, {time!r} and {order!r}",
            "name the one that decides which is first",
        )
    if time is None and order is None:
        time = "time" if "time" in table.schema else None
        order = "order" if time is None and "order" in table.schema else None
    if time is not None:
        return [times.moment(table, time, "time", time_format, missing)]
    return [values.position(table, order, "order", missing)] if order is not None else []
