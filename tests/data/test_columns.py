"""Columns whatever they are called, and what their values mean."""

import polars as pl
import pytest

from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog
from intertask.errors import DataError

NAMES = (
    "row",
    "rows",
    "is bad",
    "reason",
    "value",
    "source user",
    "value user",
    "text",
    "left",
    "length",
    "",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_column_may_have_any_name(name, tmp_path):
    file = tmp_path / "log.csv"
    file.write_text(f'user,item,"{name}"\na,x,1\n,x,2\nb,y,3\n', encoding="utf-8")
    log = EventLog.read(file, labels={"stars": name})
    assert log.frame["stars"].to_list() == [1, 3]
    assert log.report.rows["row"].to_list() == [2]
    columns = {"user": ["a", None, "b"], "item": ["x", "x", "y"], name: [1, 2, 3]}
    assert EventLog.read(columns, keep=[name]).frame[name].to_list() == [1, 3]
    assert EventLog.read(columns, labels=[name]).frame[name].to_list() == [1, 3]
    catalogue = Catalogue.read({"item": ["x", "x", "y"], name: ["one", "two", "three"]}, text=[name])
    assert catalogue.frame[name].to_list() == ["one", "three"]
    assert catalogue.report.rows.rows() == [(2, "duplicate item", "item", "x")]


@pytest.mark.parametrize("name", ["*", "^user.*$"])
def test_a_name_that_is_a_pattern_reads_no_other_column(name, tmp_path):
    columns = {name: ["a", "b"], "user1": ["c", "d"], "user": ["e", "f"], "item": ["x", "y"]}
    with pytest.raises(DataError, match=r"expected the name of one column, found .* rename it"):
        EventLog.read(columns, user=name)
    with pytest.raises(DataError, match="expected the name of one column"):
        EventLog.read(columns, labels={name: "user"})
    with pytest.raises(DataError, match="expected the name of one column"):
        Catalogue.read(columns, text=[name])
    file = tmp_path / "log.csv"
    pl.DataFrame(columns).write_csv(file)
    assert EventLog.read(file).frame["user"].to_list() == ["e", "f"]


def test_truth_in_text_is_a_number_as_it_is_in_a_frame(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text(
        "user,item,liked\na,x,True\na,y,false\nb,x,t\nb,y,F\nc,x,\nc,y,1\nd,x,yes\n", encoding="utf-8"
    )
    log = EventLog.read(file, labels=["liked"])
    assert log.frame["liked"].to_list() == [1, 0, 1, 0, None, 1]
    assert log.report.counts == {"unreadable liked": 1}
    frame = pl.DataFrame({"user": ["a", "a"], "item": ["x", "y"], "liked": [True, False]})
    assert EventLog.read(frame, labels=["liked"]).frame["liked"].to_list() == [1, 0]


def test_an_order_that_was_once_a_float_is_read(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text("user,item,order\na,x,2.0\na,y,1.0\na,z,1.5\na,z,\n", encoding="utf-8")
    log = EventLog.read(file)
    assert log.frame["order"].to_list() == [2, 1]
    assert log.report.counts == {"missing order": 1, "order is not a whole number": 1}


def test_tags_are_words_and_no_objects():
    with pytest.raises(DataError, match="expected words for tags, as a list or text"):
        Catalogue.read({"item": ["x", "y"], "tags": [[{"a": 1}], []]}, tags=["tags"])
