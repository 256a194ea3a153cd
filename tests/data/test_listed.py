"""A row a user with lists is read as the log it stands for."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from intertask.data.event_log import EventLog
from intertask.data.listed import UNEQUAL
from intertask.errors import DataError

LISTS = pl.DataFrame(
    {
        "user": ["a", "b", "c"],
        "item": [[3, 1, 3], [2], []],
        "behaviour": [["view", "buy", "view"], ["view"], []],
        "time": [[10, 20, 30], [5], []],
        "r": [1.0, 2.0, 3.0],
    },
    schema_overrides={"item": pl.List(pl.Int64), "behaviour": pl.List(pl.String), "time": pl.List(pl.Int64)},
)
EVENTS = [
    ("a", 3, "view", 10, 1.0),
    ("a", 1, "buy", 20, 1.0),
    ("a", 3, "view", 30, 1.0),
    ("b", 2, "view", 5, 2.0),
]


def read(source: pl.DataFrame | Path) -> EventLog:
    return EventLog.read(source, sequences=True, labels=["r"])


def events(log: EventLog) -> list[tuple[object, ...]]:
    frame = log.frame.with_columns(pl.col("time").dt.epoch("s"))
    return frame.select("user", "item", "behaviour", "time", "r").rows()


def test_lists_become_events_in_their_order() -> None:
    log = read(LISTS)
    assert events(log) == EVENTS
    assert log.report.read == 4 and log.report.refused == 0


@pytest.mark.parametrize("style", ["[{}]", "({})", "{}"])
@pytest.mark.parametrize("between", [", ", ",", ";", " ", "|"])
def test_lists_as_text_are_the_same(style: str, between: str, tmp_path: Path) -> None:
    def spelt(name: str) -> pl.Series:
        return pl.Series(name, [style.format(between.join(map(str, row))) for row in LISTS[name]])

    frame = LISTS.with_columns(spelt("item"), spelt("behaviour"), spelt("time"))
    frame.write_csv(tmp_path / "log.csv", separator="\t")
    assert events(read(tmp_path / "log.csv")) == EVENTS


def test_quoted_words_and_times_with_blanks_stay_whole() -> None:
    frame = pl.DataFrame(
        {"user": [1], "item": ["['red pot', \"tea\"]"], "time": ["2020-01-01 10:00, 2020-01-02 11:00"]}
    )
    log = EventLog.read(frame, sequences=True)
    assert log.frame["item"].to_list() == ["red pot", "tea"]
    assert log.frame["time"].to_list() == [datetime(2020, 1, 1, 10), datetime(2020, 1, 2, 11)]


def test_lists_that_do_not_fit_are_refused_and_numbered_as_events(tmp_path: Path) -> None:
    text = "user;item;time\na;1 2;10 20\nx;1;2;3;4\nb;1 2 3;10 20\nc;;\nd;7 8 9;10 20 x\n"
    text += "".join(f"{name};1 2;5 6\n" for name in range(20))
    (tmp_path / "log.csv").write_text(text)
    log = EventLog.read(tmp_path / "log.csv", sequences=True)
    found = log.report.rows.select("row", "reason", "value").rows()
    assert found == [
        (3, "more cells than columns", "line 3: x;1;2;3;4"),
        (4, UNEQUAL, "the lists of row 3"),
        (7, "unreadable time", "x"),
    ]
    assert log.report.read == 2 + 1 + 1 + 3 + 40 and log.num_events == 44


@pytest.mark.parametrize(
    "item",
    [
        [[1, 2]],
        ["1 2 3"],
        ["[1, 2]"],
        ["1,2"],
        ["['a', 'b']"],
        pl.Series([[1, 2]]).cast(pl.Array(pl.Int64, 2)),
    ],
)
def test_unasked_lists_are_refused_with_the_option_that_reads_them(item: object) -> None:
    frame = pl.DataFrame({"user": ["a"], "item": item})
    with pytest.raises(DataError, match=r"expected one item a row, found lists.*sequences = true"):
        EventLog.read(frame)
    assert EventLog.read(frame, sequences=True).num_events >= 2


def test_ids_that_look_like_lists_can_be_kept() -> None:
    frame = pl.DataFrame({"user": ["a", "b"], "item": ["1 2", "3 4"]})
    assert EventLog.read(frame, sequences=False).frame["item"].to_list() == ["1 2", "3 4"]
    assert EventLog.read(frame.with_columns(item=pl.Series(["red pot", "tea 5"]))).num_events == 2


def test_a_column_of_numbers_holds_no_lists() -> None:
    with pytest.raises(DataError, match="expected lists, as lists or text, found the type Int64"):
        EventLog.read(pl.DataFrame({"user": [1], "item": [2]}), sequences=True)
