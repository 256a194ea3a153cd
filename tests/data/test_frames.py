"""Whatever table a person has gives the same events."""

import re
from collections.abc import Callable
from datetime import date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog
from intertask.errors import DataError

COLUMNS: dict[str, list[object]] = {
    "user": ["ann", "bob", "ann"],
    "item": [1, 2, 3],
    "time": [datetime(2020, 1, day, 12) for day in (1, 2, 3)],
    "r": [1.0, None, 3.0],
}
ZONED = pd.Series(COLUMNS["time"]).dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
POLARS, PANDAS, ARROW = pl.DataFrame(COLUMNS), pd.DataFrame(COLUMNS), pa.table(COLUMNS)


class Streaming:
    """Knows nothing but the PyCapsule interface."""

    def __init__(self, table: pa.Table | pa.ChunkedArray) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class Interchanging:
    """Knows nothing but the interchange protocol."""

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> object:
        return ARROW.__dataframe__(nan_as_null, allow_copy)


class Broken:
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        raise RuntimeError("the database\nis gone")


TABLES: dict[str, Callable[[], object]] = {
    "lazy": POLARS.lazy,
    "dict": lambda: COLUMNS,
    "dict of arrays": lambda: {name: POLARS[name].to_numpy() for name in COLUMNS},
    "pandas": lambda: PANDAS,
    "pandas, index of users": lambda: PANDAS.set_index("user"),
    "pandas, index of two levels": lambda: PANDAS.set_index(["user", "item"]),
    "pandas, unnamed index": lambda: PANDAS.set_index(pd.Index([5, 5, 7])),
    "pandas, an index named as a column": lambda: PANDAS.set_index("user", drop=False),
    "pandas, rows left out": lambda: pd.concat([PANDAS, PANDAS]).iloc[:3],
    "pandas, categories": lambda: PANDAS.astype({"user": "category"}),
    "pandas, nullable": PANDAS.convert_dtypes,
    "pandas, Arrow types": lambda: PANDAS.convert_dtypes(dtype_backend="pyarrow"),
    "pandas, objects": lambda: PANDAS.astype(object),
    "pandas, sparse": lambda: PANDAS.assign(item=pd.arrays.SparseArray([1, 2, 3])),
    "pandas, zone": lambda: PANDAS.assign(time=ZONED),
    "arrow": lambda: ARROW,
    "arrow, reader": ARROW.to_reader,
    "arrow, batch": lambda: ARROW.to_batches()[0],
    "arrow, dictionary": lambda: ARROW.set_column(0, "user", ARROW["user"].dictionary_encode()),
    "arrow, views": lambda: ARROW.set_column(0, "user", ARROW["user"].cast(pa.string_view())),
    "arrow, narrow": lambda: ARROW.set_column(1, "item", ARROW["item"].cast(pa.int8())),
    "stream": lambda: Streaming(ARROW),
    "interchange": Interchanging,
}


@pytest.mark.parametrize("name", TABLES)
def test_every_kind_of_table_gives_the_same_events(name: str) -> None:
    expected = EventLog.read(POLARS, labels=["r"])
    found = EventLog.read(TABLES[name](), labels=["r"])  # type: ignore[arg-type]
    assert found.frame.equals(expected.frame)
    assert found.report.read == 3


@pytest.mark.parametrize("name", TABLES)
def test_every_kind_of_table_is_a_catalogue(name: str) -> None:
    expected = Catalogue.read(POLARS, text=["user"], numbers=["r"])
    found = Catalogue.read(TABLES[name](), text=["user"], numbers=["r"])  # type: ignore[arg-type]
    assert found.frame.equals(expected.frame)


def test_what_is_missing_in_pandas_is_missing() -> None:
    frame = pd.DataFrame(
        {
            "user": pd.Series(["a", pd.NA, None, np.nan, "b"], dtype=object),
            "item": pd.array([1, 2, 3, 4, None], dtype="Int64"),
        }
    )
    log = EventLog.read(frame)
    assert log.frame.select("user", "item").rows() == [("a", 1)]
    assert log.report.counts == {"missing user": 3, "missing item": 1}


def test_mixed_objects_are_spelt_as_a_csv_would() -> None:
    frame = pd.DataFrame({"user": pd.Series([7, "x", 8.0, None, 2.5], dtype=object), "item": 1})
    assert EventLog.read(frame).frame["user"].to_list() == ["7", "x", "8", "2.5"]


def test_dates_of_python_are_times() -> None:
    frame = pd.DataFrame({"user": [1], "item": [2], "time": pd.Series([date(2020, 1, 1)], dtype=object)})
    assert EventLog.read(frame).frame["time"].to_list() == [datetime(2020, 1, 1)]


def test_a_lazy_frame_is_read_in_the_end_alone(tmp_path) -> None:
    POLARS.write_parquet(tmp_path / "a.parquet")
    POLARS.write_parquet(tmp_path / "b.parquet")
    log = EventLog.read(pl.scan_parquet(tmp_path / "*.parquet"), name="both")
    assert log.num_events == 6 and log.report.source == "both"
    with pytest.raises(DataError, match="DataFrame: expected a query that can be run, found"):
        EventLog.read(pl.scan_csv(tmp_path / "*.csv"))
    with pytest.raises(DataError, match="DataFrame: expected a query that can be run, found"):
        EventLog.read(POLARS.lazy().select("nothing"))


@pytest.mark.parametrize(
    "source",
    [
        [1, 2],
        [{"user": 1, "item": 2}],
        None,
        5,
        b"log.csv",
        np.zeros((2, 2)),
        {1: [2]},
        {"user": 1, "item": [2]},
        {"user": "ab", "item": [1, 2]},
        {"user": [1, 2], "item": [1]},
        iter([1]),
        pl.Series("user", [1]),
        PANDAS["user"],
        ARROW["user"],
        Streaming(ARROW["user"]),
        Broken(),
        pd,
        pl.DataFrame,
        POLARS.group_by("user"),
        pd.concat([PANDAS, PANDAS], axis=1),
        pa.table([pa.array([1]), pa.array([2])], names=["user", "user"]),
    ],
    ids=lambda own: re.sub(r" at 0x\w+", "", str(own)),  # no addresses, which differ between processes
)
def test_what_is_no_table_gets_one_line(source: object) -> None:
    for read in (EventLog.read, Catalogue.read):
        with pytest.raises(DataError) as caught:
            read(source)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)


def test_without_pyarrow_pandas_is_told_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"expected pyarrow, to read this frame.*pip install pyarrow"):
        EventLog.read(PANDAS)
