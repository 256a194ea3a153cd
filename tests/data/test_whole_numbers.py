import polars as pl
import pytest

from intertask.data.columns import MISSING
from intertask.data.event_log import EventLog
from intertask.data.tables import scan
from intertask.data.whole_numbers import with_whole_numbers


def found(tmp_path, cells, missing=MISSING):
    path = tmp_path / "log.csv"
    path.write_text("user,other\n" + "".join(f"{cell},x\n" for cell in cells))
    table = with_whole_numbers(scan(path), ["user", "nowhere"], missing)
    assert table.rows.collect_schema() == table.schema
    return table.schema["user"], table.rows.collect()["user"].to_list()


@pytest.mark.parametrize("cells", [["1", "-2", "0"], ["1", "", "9223372036854775807"]])
def test_whole_numbers_as_they_are_normally_spelt_become_integers(tmp_path, cells):
    assert found(tmp_path, cells) == (pl.Int64, [int(cell) if cell else None for cell in cells])


@pytest.mark.parametrize(
    "odd",
    ["007", "+7", "-0", " 7", "7 ", "7.0", "1e3", "NULL", "x", "9223372036854775808", "0x7", "1_000", '""'],
)
def test_a_column_with_any_other_spelling_stays_text(tmp_path, odd):
    assert found(tmp_path, ["1", odd])[0] == pl.String


def test_a_column_without_a_number_stays_text(tmp_path):
    assert found(tmp_path, ["", ""])[0] == pl.String


def test_a_number_that_means_nothing_is_looked_for_in_text(tmp_path):
    assert found(tmp_path, ["1", "-1"], ["-1"])[0] == pl.String
    path = tmp_path / "log.csv"
    path.write_text("user,item,time\n1,2,1700000000\n-1,2,1700000000\n")
    log = EventLog.read(path, missing=["-1"])
    assert log.report.counts == {"missing user": 1} and log.frame["user"].to_list() == [1]


def test_a_file_is_read_alike_whether_a_column_is_text_or_integers(tmp_path):
    times = ["0", "1700000000", "1700000000000", "-5", "17", "9999999999"]
    rows = [f"{user},{user + 5},{time},{user % 3}" for user, time in enumerate(times * 9)]
    texts = []
    for name, last in (("plain", "8,9,1700000001,1"), ("blank", "8 ,9 ,1700000001 , 1")):
        path = tmp_path / f"{name}.csv"
        path.write_text("user,item,time,stars\n" + "\n".join([*rows, last]) + "\n")
        log = EventLog.read(path, labels=["stars"])
        texts.append((log.frame, log.report.rows, log.report.notes))
    (plain, lost, notes), (blank, also_lost, also_notes) = texts
    assert plain.equals(blank) and lost.equals(also_lost) and notes == also_notes
    assert lost.height > 9


def test_columns_that_are_kept_stay_text(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,stars\n1,2,5\n")
    log = EventLog.read(path, keep=["stars"])
    assert log.frame["stars"].to_list() == ["5"]


def test_codes_of_behaviours_are_words(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,behaviour,order\n1,2,5,0\n1,3,6,1\n")
    log = EventLog.read(path)
    assert log.frame["behaviour"].to_list() == ["5", "6"] and log.frame["order"].to_list() == [0, 1]
