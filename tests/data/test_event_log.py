import gzip
import math
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertask.data.event_log import EventLog
from intertask.errors import DataError

GOOD = pl.DataFrame({"user": ["ann", "bob"], "item": [1, 2], "time": ["2020-01-01", "2020-01-02 10:30:00"]})


def times(values: object, **options: str) -> list[datetime]:
    frame = pl.DataFrame({"user": 1, "item": 2, "ts": values}, strict=False)
    return EventLog.read(frame, time="ts", **options).frame["time"].to_list()


def refused(frame: pl.DataFrame, **mapping: str) -> list[tuple[int, str]]:
    report = EventLog.read(frame, **mapping).report
    assert report.read == report.kept + report.refused == frame.height
    return list(report.rows.select("row", "reason").iter_rows())


@pytest.mark.parametrize("ending", ["parquet", "csv", "tsv", "csv.gz", "jsonl", "ndjson"])
def test_every_kind_of_file_gives_the_same_events(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"log.{ending}"
    text = GOOD.write_csv(separator="\t" if ending == "tsv" else ",")
    if ending == "parquet":
        GOOD.write_parquet(path)
    elif ending in {"jsonl", "ndjson"}:
        GOOD.write_ndjson(path)
    elif ending == "csv.gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    assert EventLog.read(path).frame.equals(EventLog.read(GOOD).frame)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_out(tmp_path: Path, separator: str) -> None:
    (tmp_path / "log.csv").write_text(GOOD.write_csv(separator=separator))
    assert EventLog.read(tmp_path / "log.csv").frame.equals(EventLog.read(GOOD).frame)


@pytest.mark.parametrize(
    "values",
    [
        [1_577_836_800],
        [1_577_836_800.0],
        [1_577_836_800_000],
        [1_577_836_800_000_000],
        [1_577_836_800_000_000_000],
        ["1577836800"],
        ["1577836800000"],
        ["2020-01-01"],
        ["2020-01-01 00:00"],
        ["2020/01/01 00:00:00"],
        ["2020-01-01T00:00:00.000Z"],
        ["2020-01-01T02:00:00+02:00"],
        ["2020-01-01 00:00:00 UTC"],
        [20200101],
        [date(2020, 1, 1)],
        [datetime(2020, 1, 1)],
        [datetime(2020, 1, 1, tzinfo=UTC)],
        pl.Series([datetime(2020, 1, 1, 1)]).dt.replace_time_zone("Europe/Vienna"),
        pl.Series([datetime(2020, 1, 1)]).cast(pl.Datetime("ns")),
        pl.Series([datetime(2020, 1, 1)]).cast(pl.Datetime("ms")),
    ],
)
def test_times_are_read_in_every_usual_form(values: object) -> None:
    assert times(values) == [datetime(2020, 1, 1)]


def test_fractions_of_a_second_survive() -> None:
    assert times(["2020-01-01T00:00:00.123456"]) == [datetime(2020, 1, 1, 0, 0, 0, 123456)]
    assert times([1_577_836_800.25]) == [datetime(2020, 1, 1, 0, 0, 0, 250000)]


def test_absurd_times_are_refused_row_by_row() -> None:
    seconds = [1.6e9, math.nan, math.inf, -1.0, 9e9, None, 1e300]
    frame = pl.DataFrame({"user": 1, "item": 2, "time": seconds})
    assert refused(frame) == [
        (2, "missing time"),
        (3, "time after 2099"),
        (4, "missing time"),
        (5, "time after 2099"),
        (6, "missing time"),
        (7, "time after 2099"),
    ]
    text = pl.DataFrame({"user": 1, "item": 2, "time": ["2020-01-01", "0001-01-01", "3000-01-01", "", "no"]})
    assert [reason for _, reason in refused(text)] == [
        "time before 1970",
        "time after 2099",
        "missing time",
        "unreadable time",
    ]


def test_missing_ids_and_behaviours_are_refused_with_their_row() -> None:
    frame = pl.DataFrame(
        {"user": ["a", None, "c", "d"], "item": [1.0, 2.0, math.nan, 2.5], "behaviour": ["v", "v", "v", "v"]}
    )
    assert refused(frame) == [(2, "missing user"), (3, "missing item"), (4, "item is not a whole number")]
    assert refused(frame.with_columns(item=1, behaviour=pl.Series(["v", "v", " ", None]))) == [
        (2, "missing user"),
        (3, "missing behaviour"),
        (4, "missing behaviour"),
    ]


def test_integer_ids_stay_integers_and_words_stay_words(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item\n1,007\n2,8\n")
    frame = EventLog.read(tmp_path / "log.csv").frame
    assert frame["user"].to_list() == [1, 2]
    assert frame["item"].to_list() == ["007", "8"]
    typed = EventLog.read(pl.DataFrame({"user": ["1"], "item": [8.0]})).frame
    assert typed["user"].to_list() == ["1"]
    assert typed["item"].to_list() == [8]


def test_unicode_ids_survive() -> None:
    ids = ["Ünïcödé", "東京", "🙂", "a b", "É", "E\u0301"]
    assert EventLog.read(pl.DataFrame({"user": ids, "item": ids})).frame["user"].to_list() == ids


def test_without_time_and_order_the_file_orders() -> None:
    log = EventLog.read(GOOD.drop("time"))
    assert log.clock == "file"
    assert log.frame["behaviour"].to_list() == ["event", "event"]


def test_an_order_column_needs_no_clock() -> None:
    frame = pl.DataFrame({"user": 1, "item": 2, "rank": [3, 1, None], "time": "never"})
    log = EventLog.read(frame, order="rank")
    assert log.clock == "order"
    assert log.frame["order"].to_list() == [3, 1]
    with pytest.raises(DataError, match="time or order"):
        EventLog.read(frame, order="rank", time="time")


def test_decimal_commas_are_read_where_a_comma_can_be_nothing_else(tmp_path: Path) -> None:
    values = ["58,93", "-0,5", "1.234,50", "12345,678", "0,125", "7", "7.5", "", "1,234", "1,2,3", "1.23,4"]
    rows = [f"u;{number};{value}" for number, value in enumerate(values)]
    (tmp_path / "log.csv").write_text("\n".join(["user;item;price", *rows]))
    events = EventLog.read(tmp_path / "log.csv", labels=["price"])
    found = events.frame["price"].to_list()
    assert found == pytest.approx([58.93, -0.5, 1234.5, 12345.678, 0.125, 7.0, 7.5, None])
    assert events.report.rows["value"].to_list() == ["1,234", "1,2,3", "1.23,4"]


def test_labels_are_numbers_and_missing_ones_are_null() -> None:
    frame = (
        GOOD.head(1)
        .select("user", "item")
        .join(pl.DataFrame({"r": [1.5, None, math.nan, math.inf]}), how="cross")
    )
    log = EventLog.read(frame, labels={"rating": "r"})
    assert log.frame["rating"].to_list() == [1.5, None, None]
    assert log.labels == ("rating",)
    assert log.report.counts == {"infinite rating": 1}
    assert EventLog.read(frame, labels=["r"]).labels == ("r",)


def test_further_columns_are_kept_only_if_asked() -> None:
    frame = GOOD.with_columns(place=pl.Series(["x", "y"]), other=1)
    assert EventLog.read(frame, keep=["place"]).frame.columns == [
        "user",
        "item",
        "behaviour",
        "time",
        "place",
    ]


def test_an_unknown_column_is_named_with_the_closest_one() -> None:
    with pytest.raises(DataError, match=r"a column 'usr' for user.*user, item, time.*did you mean 'user'"):
        EventLog.read(GOOD, user="usr")


def test_strict_refuses_the_file_for_one_row() -> None:
    frame = pl.DataFrame({"user": ["a", None], "item": [1, 2]})
    with pytest.raises(DataError, match=r"row 2 column 'user'.*missing user.*1 of 2 rows"):
        EventLog.read(frame, strict=True)


def test_a_file_without_one_good_row_is_refused() -> None:
    with pytest.raises(DataError, match="2 of 2 rows are refused"):
        EventLog.read(GOOD.with_columns(user=pl.lit("NULL")))
    with pytest.raises(DataError, match="unreadable time 'ann'"):
        EventLog.read(GOOD.with_columns(spoken=pl.col("user")), time="spoken")


def test_an_empty_log_can_be_read() -> None:
    assert EventLog.read(GOOD.clear()).num_events == 0


def test_damaged_and_foreign_files_get_one_clear_line(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    GOOD.write_parquet(whole)
    files = {
        "truncated.parquet": whole.read_bytes()[:-20],
        "short.parquet": b"PAR1",
        "text.parquet": b"user,item\n1,2\n",
        "binary.csv": b"user,item\xff\n1,2\n",
        "ragged.csv": b"user,item\n1,2,3\n1,2,3\n",
        "broken.jsonl": b'{"user": 1, "item": 2\n{"user": \n',
        "empty.csv": b"",
        "log.xlsx": b"PK",
        "packed.csv.gz": b"user,item\n1,2\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError) as caught:
            EventLog.read(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_directory_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a directory"):
        EventLog.read(tmp_path)
    GOOD.write_parquet(tmp_path / "events.parquet")
    with pytest.raises(DataError, match=r"no such file; did you mean 'events.parquet'"):
        EventLog.read(tmp_path / "event.parquet")
    with pytest.raises(DataError, match="a path, a polars, pandas or Arrow table"):
        EventLog.read([1, 2])  # type: ignore[arg-type]


def test_a_type_that_cannot_be_an_id_is_refused() -> None:
    with pytest.raises(DataError, match="ids of the users"):
        EventLog.read(pl.DataFrame({"user": [[1]], "item": [1]}))


def test_refused_rows_can_be_written_in_full(tmp_path: Path) -> None:
    report = EventLog.read(pl.DataFrame({"user": ["a", None, None], "item": [1, 2, 3]})).report
    report.write(tmp_path / "refused.parquet")
    report.write(tmp_path / "refused.csv")
    assert pl.read_parquet(tmp_path / "refused.parquet").equals(report.rows)
    assert (tmp_path / "refused.csv").read_text().startswith("row,reason,column,value\n2,missing user,user,")
    assert report.first(1)["row"].to_list() == [2]
    with pytest.raises(DataError, match=r"\.parquet or \.csv"):
        report.write(tmp_path / "refused.txt")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\uff1d", "\uff0b"])
def test_no_cell_of_the_refused_rows_is_a_formula(sign: str, tmp_path: Path) -> None:
    value = f'{sign}cmd|"/C calc"!A1'
    frame = pl.DataFrame({"user": [1, 2], "item": [3, 4], "=time": [1.6e9, 1.6e9], f"{sign}r": ["1", value]})
    report = EventLog.read(frame, time="=time", labels=[f"{sign}r"]).report
    report.write(tmp_path / "refused.csv")
    (row,) = pl.read_csv(tmp_path / "refused.csv").rows()
    assert row == (2, f"unreadable {sign}r", f"'{sign}r", f"'{value}")
    report.write(tmp_path / "refused.parquet")
    assert pl.read_parquet(tmp_path / "refused.parquet")["value"].to_list() == [value]


def test_numbers_and_words_of_the_refused_rows_stay_as_they_are(tmp_path: Path) -> None:
    report = EventLog.read(
        pl.DataFrame({"user": [1, 2], "item": [3, 4], "time": ["2020-01-01", "a=b-c"]})
    ).report
    report.write(tmp_path / "refused.csv")
    assert (tmp_path / "refused.csv").read_text() == "row,reason,column,value\n2,unreadable time,time,a=b-c\n"


# Letters and digits, without the letters that nobody sees: those are stripped at the ends of an id.
IN_IDS = st.characters(categories=["L", "N"], exclude_characters="\u115f\u1160\u3164\uffa0")


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.text(IN_IDS, max_size=3)),
            st.one_of(st.none(), st.integers(-3, 3)),
            st.one_of(st.none(), st.floats()),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_read_is_kept_plus_refused(rows: list[tuple[str | None, int | None, float | None]]) -> None:
    rows += [("good", 1, 1.5e9)] * (len(rows) + 1)
    schema = {"user": pl.String, "item": pl.Int64, "time": pl.Float64}
    log = EventLog.read(pl.DataFrame(rows, schema=schema, orient="row"))
    assert log.report.read == len(rows) == log.num_events + log.report.refused
    assert sum(log.report.counts.values()) == log.report.refused
    bad = set(log.report.rows["row"].to_list())
    kept = [row[0] for number, row in enumerate(rows, start=1) if number not in bad]
    assert log.frame["user"].to_list() == kept


@pytest.mark.parametrize("content", [bytes(range(256)) * 4, b"user\0,item\0\n" + bytes(50)])
def test_what_is_no_text_is_said_to_be_none_and_not_shown(content, tmp_path):
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(DataError, match="expected text in UTF-8, found another encoding, or no text"):
        EventLog.read(tmp_path / "log.csv")


def test_of_many_columns_some_are_named_on_one_line(tmp_path):
    names = ["a\tb", "long" * 40, *(f"column{number}" for number in range(90))]
    pl.DataFrame({name: [1] for name in names}).write_parquet(tmp_path / "log.parquet")
    with pytest.raises(DataError) as caught:
        EventLog.read(tmp_path / "log.parquet")
    line = str(caught.value)
    assert "\t" not in line and "'a\\tb'" in line and "and 52 more" in line and len(line) < 900


@pytest.mark.parametrize(
    "roles",
    [
        {"item": "user"},
        {"time": "item"},
        {"order": "user"},
        {"behaviour": "user"},
        {"time": "user", "behaviour": "item"},
        {"behaviour": "when", "time": "when"},
    ],
)
def test_one_column_has_one_role(roles: dict[str, str]) -> None:
    frame = pl.DataFrame({"user": [1, 2], "item": [3, 4], "when": [5, 6]})
    with pytest.raises(DataError, match=r"expected a column of its own for .* for both; name another"):
        EventLog.read(frame, **roles)


def test_what_was_done_may_be_the_item() -> None:
    log = EventLog.read(pl.DataFrame({"user": [1, 1], "item": ["play", "stop"]}), behaviour="item")
    assert log.frame["behaviour"].to_list() == log.frame["item"].to_list() == ["play", "stop"]
