import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertask.data.event_log import EventLog
from intertask.errors import DataError

MOMENT = datetime(2024, 2, 21, 12, 48, 52)


def read(values: object, **options: object) -> EventLog:
    frame = pl.DataFrame({"user": 1, "item": 2, "ts": values}, strict=False)
    return EventLog.read(frame, time="ts", **options)  # type: ignore[arg-type]


def times(values: object, **options: object) -> list[datetime]:
    return read(values, **options).frame["time"].to_list()


def reasons(values: list[object]) -> dict[int, str]:
    report = read(values).report
    assert report.read == report.kept + report.refused == len(values)
    return dict(report.rows.select("row", "reason").iter_rows())


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-21 12:48:52+00",
        "2024-02-21 12:48:52.0+00",
        "2024-02-21 12:48:52+00:00",
        "2024-02-21 18:18:52+05:30",
        "2024-02-21T18:18:52+0530",
        "2024-02-21T07:48:52-05",
        "2024-02-21T12:48:52Z",
        "2024-02-21t12:48:52z",
        "2024-02-21T13:48:52+01:00[Europe/Vienna]",
        "2024-02-21 12:48:52 GMT",
        "2024/02/21 12:48:52",
        "2024.02.21 12:48:52",
        "2024-2-21 12:48:52",
        "20240221T124852Z",
        "20240221T124852",
        "20240221 12:48:52",
        "20240221124852",
        "Wed, 21 Feb 2024 12:48:52 +0000",
        "Wed, 21 Feb 2024 13:48:52 +0100",
        "21 Feb 2024 12:48:52 GMT",
        "21/Feb/2024:12:48:52 +0000",
        "21-Feb-2024 12:48:52",
        "Wed Feb 21 12:48:52 2024",
        "Wed Feb 21 2024 13:48:52 GMT+0100 (Central European Standard Time)",
        "February 21, 2024 12:48:52 PM",
        "Feb 21, 2024, 12:48:52 p.m.",
        "2024-Feb-21 12:48:52",
        "\u00a02024-02-21 12:48:52\u200b",
        "21.02.2024 12:48:52",
        "21/02/2024 12:48:52",
        "02/21/2024 12:48:52 PM",
        "1708519732",
        "1708519732.0",
        "1.708519732e9",
        "1708519732000",
        "1708519732000000",
        "1708519732000000000",
    ],
)
def test_text_that_can_be_read_in_one_way_is_read(text):
    assert times([text]) == [MOMENT]


@pytest.mark.parametrize("digits", range(1, 10))
def test_fractions_of_any_length_are_kept_to_the_microsecond(digits):
    fraction = "123456789"[:digits]
    expected = MOMENT.replace(microsecond=int(fraction.ljust(6, "0")[:6]))
    spellings = [f"2024-02-21 12:48:52.{fraction}", f"2024-02-21T12:48:52,{fraction}+00:00"]
    for text in (*spellings, f"2024-02-21 12:48:52.{fraction}+00", f"20240221T124852.{fraction}Z"):
        assert times([text]) == [expected], text


def test_one_column_may_be_spelt_in_several_ways():
    rows = ["2024-02-21 12:48:52"] * 3 + ["2024-02-21T12:48:52.5Z", "21 Feb 2024", "2024-02-21 12:48:52.1+00"]
    tenths = MOMENT.replace(microsecond=100_000)
    assert times(rows)[3:] == [MOMENT.replace(microsecond=500_000), datetime(2024, 2, 21), tenths]


def test_the_end_of_a_day_and_a_leap_second_are_the_next_second():
    rows = ["2016-12-31 23:59:60", "2016-12-31T24:00", "2016-12-31T24:00:00Z", "2016-12-31 23:59:60+00"]
    assert times(rows) == [datetime(2017, 1, 1)] * 4
    bad = ["2016-12-31 24:00:01", "2016-12-31 25:00", "2023-02-29", "2023-02-29 10:00+00", "2020-01-01T10:61"]
    assert set(reasons([*bad, "2020-01-01"]).values()) == {"unreadable time"}
    assert len(reasons([*bad, "2020-01-01"])) == len(bad)


@pytest.mark.parametrize("text", ["09.08.2011 09:04", "08/09/2011", "8-9-2011 9:04:05 PM"])
def test_ambiguous_dates_are_refused_with_both_forms_ready(text):
    with pytest.raises(DataError) as caught:
        times([text, text])
    message = str(caught.value)
    assert message.count('time_format = "') == 2 and repr(text) in message and "'ts'" in message
    forms = [part.split('"')[0] for part in message.split('time_format = "')[1:]]
    read = {times([text], time_format=form)[0].month for form in forms}
    assert read == {8, 9}


@given(st.lists(st.dates(date(1990, 1, 1), date(2030, 1, 1)), min_size=1, max_size=30), st.booleans())
def test_a_column_that_allows_one_order_alone_is_read_in_it(days, day_first):
    form = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    decided = any(day.day > 12 for day in days)
    rows = [day.strftime(form) for day in days]
    if not decided:
        with pytest.raises(DataError, match="told apart"):
            times(rows)
        return
    log = read(rows)
    assert [moment.date() for moment in log.frame["time"]] == days
    assert ("day first" if day_first else "month first") in " ".join(log.report.notes)


def test_a_column_that_says_both_orders_is_refused():
    with pytest.raises(DataError, match="both orders occur"):
        times(["31/12/2020", "12/31/2020", "01/02/2020"])


def test_what_cannot_be_read_is_refused_with_a_form_made_from_it():
    for text, form in (("21-FEB-24", "%d-%b-%y"), ("21.02.2024 12.48", "%d.%m.%Y %H.%M")):
        with pytest.raises(DataError) as caught:
            times([text])
        assert f'time_format = "{form}"' in str(caught.value)
        assert times([text], time_format=form)[0].date() == date(2024, 2, 21)
    with pytest.raises(DataError, match="unreadable time 'never'"):
        times(["never"])
    for form in ("garbage", "s", ""):
        with pytest.raises(DataError, match="time_format"):
            times(["2020-01-01"], time_format=form)


@pytest.mark.parametrize("length", [8, 10, 12, 14])
@pytest.mark.parametrize("as_text", [False, True])
@given(data=st.data())
def test_dates_without_anything_between_their_parts_are_dates(length, as_text, data):
    moments = st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1))
    wanted = data.draw(st.lists(moments, min_size=1, max_size=20))
    texts = [moment.strftime("%Y%m%d%H%M%S")[:length] for moment in wanted]
    read = times(texts if as_text else [int(text) for text in texts])
    assert [moment.strftime("%Y%m%d%H%M%S")[:length] for moment in read] == texts


def test_numbers_as_large_as_stamps_of_hours_or_minutes_are_numbers():
    seconds = [int(datetime(2032, 8, 1, tzinfo=UTC).timestamp()) + 86_399 * day for day in range(300)]
    assert times(seconds)[-1] == datetime(2032, 8, 1) + timedelta(seconds=86_399 * 299)
    milliseconds = [197_001_014_000 + 86_399_123 * day for day in range(90)]
    assert times(milliseconds)[0] == datetime(1970, 1, 1) + timedelta(milliseconds=197_001_014_000)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("01-FEB-24 09.07.05.000000000 AM", "%d-%b-%y %I.%M.%S%.f %p"),
        ("01FEB2024:09:07:05", "%d%b%Y:%H:%M:%S"),
        ("[01/Feb/2024:09:07:05 +0000]", "[%d/%b/%Y:%H:%M:%S %z]"),
        ("'2024-02-01T09:07:05'", "'%Y-%m-%dT%H:%M:%S'"),
        ("2024年2月1日 9:07", "%Y年%m月%d日 %H:%M"),
        ("2024-032", "%Y-%j"),
        ("2024-W05-4", "%G-W%V-%u"),
    ],
)
def test_what_databases_and_servers_write_is_offered_a_form(text, form):
    with pytest.raises(DataError) as caught:
        times([text])
    offered = str(caught.value).split('time_format = "')[1].split('"')[0]
    assert offered == form
    assert times([text], time_format=offered)[0].date() == date(2024, 2, 1)


def test_numbers_of_another_unit_than_the_rest_are_refused_by_name():
    now = 1_708_519_732
    rows = [now * 1000 + row for row in range(8)] + [now, now * 10**6, now * 10**9, 45343.53, 20240221, 5]
    assert reasons(rows) == {
        9: "time in seconds, the rest in milliseconds",
        10: "time in microseconds, the rest in milliseconds",
        11: "time in nanoseconds, the rest in milliseconds",
        12: "time in days of a spreadsheet, the rest in milliseconds",
        13: "time in a date such as 20240221, the rest in milliseconds",
        14: "time far from the rest",
    }
    assert reasons([str(row) for row in rows]) == reasons(rows)
    in_seconds = [now] * 5 + [now * 1000, 20240221, 45343]
    assert reasons(in_seconds) == {
        6: "time in milliseconds, the rest in seconds",
        7: "time in a date such as 20240221, the rest in seconds",
        8: "time in days of a spreadsheet, the rest in seconds",
    }


@given(st.sampled_from([1, 10**3, 10**6, 10**9]), st.sampled_from([1, 10**3, 10**6, 10**9]), st.booleans())
def test_every_mixture_of_units_is_counted(most, some, as_text):
    moments = [1_500_000_000 + 86_400 * day for day in range(20)]
    rows = [moment * most for moment in moments] + [moment * some for moment in moments[:6]]
    log = read([str(row) for row in rows] if as_text else rows)
    assert log.report.refused == (0 if most == some else 6)
    assert log.frame["time"].dt.epoch("s").to_list()[:20] == moments


def test_days_of_a_spreadsheet_are_days():
    expected = [datetime(2024, 2, 21, 12, 43, 12), datetime(2024, 2, 22)]
    assert times([45343.53, 45344.0]) == expected
    assert times(["45343.53", "45344"]) == expected
    assert times([45344, 45345])[0] == expected[1]
    assert reasons([45343.53] * 300 + [0.0, 1_708_519_732.0]) == {
        301: "missing time",
        302: "time in seconds, the rest in days of a spreadsheet",
    }


def test_what_numbers_count_can_be_said():
    assert times([30_000, 30_001], time_format="seconds")[0] == datetime(1970, 1, 1, 8, 20)
    assert times(["1000", "2000"], time_format="milliseconds")[0] == datetime(1970, 1, 1, 0, 0, 1)
    assert times([45343.5], time_format="days") == [datetime(2024, 2, 21, 12)]


NOTHINGS = [0, -1, 0.0, "0", "", " ", "NULL", "\\N", "NaN", "0000-00-00 00:00:00", "0000-00-00"]


@pytest.mark.parametrize("nothing", NOTHINGS)
def test_what_stands_for_no_time_is_missing(nothing):
    rest = [1_708_519_732 + row for row in range(5)]
    rows = [nothing, *(map(str, rest) if isinstance(nothing, str) else rest)]
    if str(nothing).startswith("0000"):
        rows = [nothing] + ["2024-02-21 10:00:00"] * 5
    assert reasons(rows) == {1: "missing time"}


@pytest.mark.parametrize("nothing", ["1970-01-01 00:00:00", "1970-01-01", "1970-01-01T01:00:00+01:00"])
def test_the_first_moment_of_1970_is_missing_where_the_rest_is_later(nothing):
    assert reasons([nothing, "2024-02-21 10:00:00", "2023-02-21"]) == {1: "missing time"}
    typed = [datetime(1970, 1, 1), datetime(2024, 2, 21), None]
    assert reasons(typed) == {1: "missing time", 3: "missing time"}
    assert times(["1970-01-01 00:00:00", "1970-01-05 00:00:00"])[0] == datetime(1970, 1, 1)


def test_a_small_clock_of_ones_own_starts_at_nought():
    assert times([0, 1, 2])[0] == datetime(1970, 1, 1)


@given(st.lists(st.datetimes(datetime(1975, 1, 1), datetime(2099, 1, 1)), min_size=1, max_size=20))
def test_every_spelling_of_a_time_is_that_time(moments):
    zone = timezone(timedelta(hours=-9, minutes=-30))
    seconds = [moment.replace(microsecond=0) for moment in moments]
    assert times([moment.isoformat() for moment in moments]) == moments
    assert times([moment.replace(tzinfo=UTC).astimezone(zone).isoformat() for moment in moments]) == moments
    assert times([moment.strftime("%a, %d %b %Y %H:%M:%S +0000") for moment in moments]) == seconds
    assert times([moment.strftime("%B %d, %Y %I:%M:%S %p") for moment in moments]) == seconds
    assert times([moment.strftime("%Y%m%dT%H%M%SZ") for moment in moments]) == seconds
    assert times(pl.Series(moments, dtype=pl.Datetime("us", "Asia/Kolkata"))) == moments


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_typed_times_of_every_unit_and_zone(unit):
    series = pl.Series([MOMENT], dtype=pl.Datetime(unit))
    assert times(series) == [MOMENT]
    assert times(series.dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")) == [MOMENT]
    assert times([Decimal("1708519732.5")]) == [MOMENT.replace(microsecond=500_000)]
    assert times([MOMENT.date()]) == [datetime(2024, 2, 21)]


@pytest.mark.parametrize("values", [[timedelta(1)], [time(1)], [True], [b"2020-01-01"], [[1]]], ids=str)
def test_what_holds_no_times_is_refused(values):
    with pytest.raises(DataError, match="'ts': expected times"):
        times(values)


def test_impossible_years_are_refused_row_by_row():
    rows = ["0000-01-01", "0001-01-01", "1600-01-01", "9999-12-31", "2300-01-01", "2020-01-01", "12020-01-01"]
    assert set(reasons(rows)) == {1, 2, 3, 4, 5, 7}
    numbers = [1.7e9, math.inf, -math.inf, 1e300, -5e9, 1.7e9]
    assert set(reasons(numbers)) == {2, 3, 4, 5}
