"""Objects within a column are columns by their parts, whatever the source."""

import json

import polars as pl
import pytest

from intertask.data.event_log import EventLog
from intertask.data.tables import scan
from intertask.errors import DataError

ROWS = [
    {"who": {"id": "a", "home": {"land": "DE"}}, "what": {"id": 1, "tags": ["x"]}},
    {"who": {"id": "b", "home": None}, "what": None},
    {"who": None, "what": {"id": 3, "tags": []}},
]
COLUMNS = ["who.id", "who.home.land", "what.id", "what.tags"]


def in_every_kind(folder):
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    pl.DataFrame(ROWS).write_parquet(folder / "log.parquet")
    return [folder / "log.jsonl", folder / "log.parquet", pl.DataFrame(ROWS), pl.DataFrame(ROWS).lazy()]


def test_parts_of_objects_are_columns_and_what_is_not_there_is_missing(tmp_path):
    for source in in_every_kind(tmp_path):
        table = scan(source)
        found = table.rows.collect()
        assert found.columns == list(table.schema) == COLUMNS
        assert found["who.id"].to_list() == ["a", "b", None]
        assert found["who.home.land"].to_list() == ["DE", None, None]
        assert found["what.id"].to_list() == [1, None, 3]


def test_a_row_that_lacks_an_object_is_refused_alone(tmp_path):
    for source in in_every_kind(tmp_path):
        events = EventLog.read(source, user="who.id", item="what.id")
        assert events.frame.select("user", "item").rows() == [("a", 1)]
        assert events.report.rows["reason"].to_list() == ["missing item", "missing user"]


def test_a_column_keeps_its_name_before_a_part_of_the_same_name():
    frame = pl.DataFrame({"a": [{"b": 1, "c": 2}], "a.b": ["kept"]})
    assert scan(frame).rows.collect().to_dicts() == [{"a.c": 2, "a.b": "kept"}]


def test_the_name_of_an_object_is_answered_with_its_parts():
    with pytest.raises(DataError, match=r"who\.id"):
        EventLog.read(pl.DataFrame(ROWS), user="who", item="what.id")


def test_objects_beyond_the_depth_stay_as_they_are():
    value: object = 1
    for _ in range(20):
        value = {"in": value}
    assert list(scan(pl.DataFrame({"deep": [value]})).schema) == ["deep" + ".in" * 8]
