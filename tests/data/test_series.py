"""Windows of long tables: what they hold, what follows, holes and gaps, and that nothing looks ahead."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from intertask.data.series import Series, read
from intertask.errors import DataError
from intertask.samples.splits import WalkForward

DAY = dt.datetime(2020, 1, 1)


def long(values: dict[str, list[float | None]], skip: dict[str, int] | None = None) -> pl.DataFrame:
    """A day for each value; `skip` leaves ten days out before a place."""
    rows = []
    for name, own in values.items():
        for place, value in enumerate(own):
            late = 10 if skip and place >= skip.get(name, 10**6) else 0
            rows.append({"share": name, "day": DAY + dt.timedelta(days=place + late), "price": value})
    return pl.DataFrame(rows, schema={"share": pl.String, "day": pl.Datetime, "price": pl.Float64})


def cut(**more: object) -> Series:
    return Series.model_validate({"time": "day", "group": "share", "columns": ["price"], "window": 3, **more})


TABLE = long({"a": [1, 2, 4, 8, 16], "b": [5, 5, 6, 6, 7]})


def test_windows_hold_the_last_values_and_labels_what_follows():
    rows = read(TABLE, cut())
    assert rows.numbers == ("price[-2]", "price[-1]", "price[0]")
    told = rows.inputs.select("share", *rows.numbers).with_columns(rows.labels.to_series().cast(pl.Float64))
    assert sorted(told.rows()) == [
        ("a", 1, 2, 4, 8),
        ("a", 2, 4, 8, 16),
        ("b", 5, 5, 6, 6),
        ("b", 5, 6, 6, 7),
    ]


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_a_window_never_closes_over_a_number_that_cannot_be_used(value):
    table = long({"a": [1, value, 4, 8, 16, 32]})
    with pytest.raises(DataError, match=r"row 2 column 'price': expected a usable value, found infinite"):
        read(table, cut())


def unreadable() -> pl.DataFrame:
    prices = ["1", "2", "three", "4", "1e39", "6", "7", "8", "9"]
    return pl.DataFrame(
        {"share": ["a"] * 9, "day": [DAY + dt.timedelta(days=n) for n in range(9)], "price": prices}
    )


def test_a_number_that_cannot_be_used_is_filled_in_its_place():
    rows = read(unreadable(), cut(missing="fill"))
    found = rows.inputs.select(rows.numbers).rows()
    assert found == [(1, 2, 2), (2, 2, 4), (2, 4, 4), (4, 4, 6), (4, 6, 7), (6, 7, 8)]
    assert any("2 numbers are unreadable or infinite, and count as missing" in n for n in rows.report.notes)


def test_no_window_closes_over_a_number_that_cannot_be_used_where_windows_are_left_out():
    rows = read(unreadable(), cut(missing="leave_out"))
    assert rows.inputs.select(rows.numbers).rows() == [(6, 7, 8)]
    assert any("2 numbers are unreadable or infinite, and count as missing" in n for n in rows.report.notes)


def test_changes_are_against_the_row_before_and_of_the_label_against_the_row_itself():
    rows = read(TABLE, cut(changes="log", target_change="log", window=2))
    of_a = rows.inputs.filter(rows.inputs["share"] == "a")
    assert np.allclose(of_a.select("price[-1]", "price[0]").to_numpy(), np.log(2))
    labels = rows.labels["price+1"].cast(pl.Float64).to_numpy()
    assert np.allclose(labels[(rows.inputs["share"] == "a").to_numpy()], np.log(2), atol=1e-6)
    steps = read(TABLE, cut(changes="difference", target_change="difference", window=1))
    of_b = (steps.inputs["share"] == "b").to_numpy()
    assert steps.inputs["price[0]"].to_numpy()[of_b].tolist() == [0, 1, 0]
    assert steps.labels["price+1"].cast(pl.Float64).to_numpy()[of_b].tolist() == [1, 0, 1]


def test_the_order_of_the_table_does_not_matter_and_series_do_not_mix():
    shuffled = read(TABLE.sample(fraction=1.0, shuffle=True, seed=3), cut())
    assert shuffled.whole().equals(read(TABLE, cut()).whole())


def test_later_rows_do_not_change_earlier_windows():
    later = TABLE.filter(pl.col("day") == TABLE["day"].max()).with_columns(
        pl.col("day") + dt.timedelta(days=1), price=pl.lit(99.0)
    )
    before = read(TABLE, cut()).whole()
    after = read(pl.concat([TABLE, later]), cut()).whole()
    assert after.join(before, on=before.columns).height == before.height == after.height - 2


def test_several_horizons_are_several_labels_and_what_nothing_follows_is_null():
    rows = read(TABLE, cut(horizons=[1, 2]))
    assert rows.labels.columns == ["price+1", "price+2"]
    assert rows.labels["price+2"].null_count() == 2
    assert rows.labels["price+1"].null_count() == 0


def test_without_labels_the_newest_windows_are_there():
    rows = read(TABLE.drop("share").head(5), cut(group=None), answered=False)
    assert len(rows) == 3
    assert rows.inputs.rows()[-1] == (4, 8, 16)


def test_a_step_takes_every_so_many():
    rows = read(long({"a": list(range(1, 22))}), cut(step=5))
    assert rows.inputs["price[0]"].to_list() == [6, 11, 16]


def test_days_are_groups_and_windows_can_walk_forward():
    values = {name: list(np.arange(1.0, 61.0)) for name in "abc"}
    rows = read(long(values), cut())
    assert rows.roles["group"].n_unique() == 57
    split = WalkForward(windows=2, embargo_seconds=86_400).split(rows)
    last, first = rows.roles["time"][split.train].max(), rows.roles["time"][split.test].min()
    assert last < first


HOLED = long({"a": [1, 2, None, 4, 5, 6, 7], "b": [1, 2, 3, 4, 5, 6, 7]})


def test_holes_are_refused_with_their_place():
    with pytest.raises(DataError) as error:
        read(HOLED, cut())
    said = str(error.value)
    assert "column 'price': expected a number in each row of a series" in said
    assert "1 of 14 rows lack a number, the first at 2020-01-03 00:00:00 in 'a'" in said
    assert "\n" not in said


def test_holes_are_filled_with_the_last_number_and_counted():
    rows = read(HOLED, cut(missing="fill"))
    assert rows.inputs.filter(pl.col("share") == "a").select(rows.numbers).rows()[0] == (1, 2, 2)
    assert any(
        "1 of 14 rows lack a number, and have the last one before" in note for note in rows.report.notes
    )


def test_windows_with_holes_are_left_out_and_counted():
    rows = read(HOLED, cut(missing="leave_out"))
    assert len(rows.inputs.filter(pl.col("share") == "a")) == 1
    assert any("left out" in note for note in rows.report.notes)


def test_a_price_of_zero_has_no_log_and_no_window():
    rows = read(long({"a": [1, 2, 0, 4, 8, 16, 32]}), cut(changes="log", window=1))
    assert rows.inputs["price[0]"].to_numpy() == pytest.approx(np.log(2))
    assert len(rows) == 3


GAPPED = long({"a": [1, 2, 3, 4, 5, 6, 7], "b": [1, 2, 3, 4, 5, 6, 7]}, skip={"a": 3})


@pytest.mark.parametrize(("changes", "target_change"), [("log", "none"), ("none", "log"), ("log", "log")])
def test_numbers_without_a_logarithm_are_counted_and_named_where_no_window_is_left(changes, target_change):
    options = {"group": None, "window": 2, "changes": changes, "target_change": target_change}
    days = pl.DataFrame({"day": [dt.datetime(2020, 1, day) for day in range(1, 9)]})
    some = days.with_columns(price=pl.Series([1.0, 2.0, 0.0, -1.0, 5.0, 6.0, 7.0, 8.0]))
    told = "2 numbers are 0 or below and have no logarithm; what would hold one is left out"
    assert told in read(some, cut(**options)).report.notes
    assert "logarithm" not in str(read(some, cut(group=None)).report.notes)
    with pytest.raises(DataError, match=r"numbers of 0 or below have no logarithm"):
        read(days.with_columns(price=-pl.lit(1.0)), cut(**options))


def test_a_target_that_rows_without_labels_lack_is_not_looked_at():
    options = {"columns": ["volume"], "target": "price", "target_change": "log"}
    rows = read(TABLE.rename({"price": "volume"}), cut(**options), answered=False)
    assert len(rows) == 6


def test_gaps_are_refused_with_their_place_or_left_out():
    with pytest.raises(DataError, match=r"950,400 before 2020-01-14 00:00:00 in 'a', and 1 such gaps"):
        read(GAPPED, cut(longest_gap_seconds=3 * 86_400))
    rows = read(GAPPED, cut(longest_gap_seconds=3 * 86_400, gaps="leave_out"))
    assert rows.inputs.filter(pl.col("share") == "a")["price[0]"].to_list() == [3, 6]
    assert len(read(GAPPED, cut())) == 8


def test_a_moment_twice_is_refused():
    with pytest.raises(
        DataError, match="each moment once in a series, found 2020-01-01 00:00:00 twice in 'a'"
    ):
        read(pl.concat([TABLE, TABLE.head(1)]), cut())
    with pytest.raises(DataError, match="name the group of each series"):
        read(TABLE, cut(group=None))


def test_no_series_as_long_as_a_window_is_refused():
    with pytest.raises(DataError, match="expected a series of 9 rows, found 5 at most"):
        read(TABLE, cut(window=9))


@pytest.mark.parametrize(
    "options",
    [
        {"columns": []},
        {"columns": ["a", "a"]},
        {"window": 0},
        {"window": 10_000, "columns": list("abcdefghijkl")},
    ],
)
def test_windows_that_cannot_be_are_refused(options):
    with pytest.raises(ValidationError):
        cut(**options)
