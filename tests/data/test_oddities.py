from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertask.data.event_log import EventLog
from intertask.data.oddities import oddities
from intertask.errors import DataError

START = datetime(2024, 1, 1)


def log(num_events: int = 1_000, num_users: int = 100) -> pl.DataFrame:
    """Distinct events of several users, evenly over some weeks."""
    rows = np.arange(num_events)
    return pl.DataFrame(
        {
            "user": [f"u{row % num_users}" for row in rows],
            "item": [f"i{row % 37}" for row in rows],
            "time": [START + timedelta(hours=int(row)) for row in rows],
        }
    )


def notes(frame: pl.DataFrame, **options: object) -> str:
    return "\n".join(EventLog.read(frame, **options).report.notes)  # type: ignore[arg-type]


def test_an_ordinary_log_has_no_oddities():
    assert notes(log()) == ""


@given(st.integers(1, 4), st.integers(1, 30))
def test_a_log_put_together_several_times_is_reported_and_copies_can_be_dropped(times, num_events):
    frame = log(num_events)
    together = pl.concat([frame] * times)
    kept, dropped = (EventLog.read(together, duplicates=how) for how in ("keep", "drop"))
    assert kept.num_events == together.height
    assert kept.report.repeated == dropped.report.repeated == (times - 1) * num_events
    assert ("equal an earlier row" in " ".join(kept.report.notes)) == (times > 1)
    assert dropped.frame.equals(EventLog.read(frame).frame)
    assert dropped.report.rows["row"].to_list() == list(range(num_events + 1, together.height + 1))
    assert set(dropped.report.counts) <= {"duplicate row"}
    assert EventLog.read(together, duplicates="drop", strict=True).num_events == num_events


def test_rows_that_differ_in_a_label_are_no_duplicates():
    frame = pl.concat([log(50).with_columns(stars=1), log(50).with_columns(stars=2)])
    assert EventLog.read(frame, labels=["stars"]).report.repeated == 0
    assert EventLog.read(frame).report.repeated == 50


def test_without_a_time_repeats_may_be_events():
    frame = pl.concat([log(50)] * 2).drop("time")
    assert "may well be events that happened again" in notes(frame)
    with pytest.raises(DataError, match="keep or drop"):
        EventLog.read(frame, duplicates="first")


def test_times_far_from_the_rest_are_counted_with_an_example():
    odd = log().with_columns(
        time=pl.when(pl.col("user") == "u3").then(datetime(2003, 5, 6)).otherwise("time")
    )
    assert "10 rows (1.0 %) lie long before the rest, such as 2003-05-06" in notes(odd)
    later = log().with_columns(
        time=pl.when(pl.col("user") == "u3").then(datetime(2035, 5, 6)).otherwise("time")
    )
    assert "long after the rest, such as 2035-05-06" in notes(later)


@pytest.mark.parametrize("name", ["user", "item"])
def test_an_id_with_an_improbable_share_is_named(name):
    frame = log(4_000, num_users=400).with_columns(
        item=pl.when(pl.int_range(pl.len()) >= 0).then(pl.format("i{}", pl.int_range(pl.len()) % 500))
    )
    some = pl.int_range(pl.len()) % 3 == 0
    assert "'crawler' has 33.4 % of all rows; a program" in notes(
        frame.with_columns(pl.when(some).then(pl.lit("crawler")).otherwise(name).alias(name))
    )
    few = pl.int_range(pl.len()) % 25 == 0
    assert "set missing = ['guest', ...]" in notes(
        frame.with_columns(pl.when(few).then(pl.lit("guest")).otherwise(name).alias(name))
    )
    assert "'0' has 33.4 %" in notes(
        frame.with_columns(pl.when(some).then(0).otherwise(pl.int_range(pl.len()) % 400 + 1).alias(name))
    )


def test_ids_that_differ_by_case_or_accents_alone_are_a_hint():
    frame = log().with_columns(user=pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("U7")).otherwise("user"))
    assert "1 of 101 users differ from another by case or accents alone: 'U7' and 'u7'" in notes(frame)
    accents = pl.DataFrame({"user": ["\u00c9", "E\u0301"], "item": ["a", "b"]})
    assert "case or accents" in notes(accents)


def test_the_first_and_last_time_are_known():
    assert EventLog.read(log(3)).span == (START, START + timedelta(hours=2))
    assert EventLog.read(log(3).drop("time")).span is None
    assert EventLog.read(log(3).clear()).span is None


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (lambda second: (second + 62_135_596_800) * 10**7, "all times lie before 1996"),  # .NET
        (lambda second: (second + 11_644_473_600) * 10**7, "all times lie before 1996"),  # Windows
        (lambda second: second / 86_400 + 719_529, "all times lie before 1996"),  # MATLAB
        (lambda second: second / 86_400 + 2_440_587.5, "all times lie before 1996"),  # Julian days
        (lambda second: second - 978_307_200, "all times lie before 1996"),  # Apple
        (lambda second: second + 2_208_988_800, "half of the times lie in the future"),  # NTP
        (lambda second: second, ""),
    ],
)
def test_times_counted_from_somewhere_else_are_odd(count, sentence):
    seconds = [1_706_778_425 + 3_600 * hour for hour in range(300)]
    frame = log(300).with_columns(time=pl.Series([count(second) for second in seconds]))
    assert sentence in notes(frame) if sentence else notes(frame) == ""


def test_behaviours_that_differ_by_case_alone_are_odd():
    frame = log().with_columns(behaviour=pl.Series(["buy", "Buy", "view", "view"] * 250))
    assert "1 of 3 behaviours differ from another by case or accents alone: 'Buy' and 'buy'" in notes(frame)


@pytest.mark.parametrize("share", [0.06, 0.04])
def test_giants_of_a_long_log_are_counted_exactly(share):
    count = 100_000
    own = int(share * count)
    users = pl.Series("user", [7] * own + list(range(100, 100 + count - own)))
    told = list(oddities(pl.DataFrame({"user": users, "item": np.arange(count) % 997}), 0))
    expected = [f"user '7' has {100 * share:.1f} % of all rows; a program, or a default?"]
    assert told == (expected if share > 0.05 else [])
