"""Rows that somebody hands over to be answered: every form they come in, and what is no row."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from intertask.errors import RequestError
from intertask.samples.requests import as_source, read

COLUMNS = {"age": "number", "sex": "category", "code": "category"}
ROWS = [
    {"age": 63, "sex": "m", "code": 7},
    {"age": None, "sex": " f ", "code": 7.0},
    {"age": "4,5", "sex": None, "code": "007"},
]
EXPECTED = {"age": [63.0, None, 4.5], "sex": ["m", "f", None], "code": ["7", "7", "007"]}


def test_single_rows_are_read_as_a_file_would_be() -> None:
    assert read(ROWS, COLUMNS).inputs.to_dict(as_series=False) == EXPECTED  # type: ignore[arg-type]
    assert read(iter(ROWS), COLUMNS).inputs["age"].to_list() == EXPECTED["age"]  # type: ignore[arg-type]
    assert read({"age": np.float32(1.5), "sex": True, "code": np.int64(3)}, COLUMNS).inputs.row(0) == (
        1.5,
        "true",
        "3",
    )  # type: ignore[arg-type]


def test_tables_of_all_kinds_are_read_alike(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"more": [1, 2, 3], "code": [7, 7, 8], "sex": ["m", "f", None], "age": [63.0, None, 4.5]}
    )
    frame.write_csv(tmp_path / "rows.csv")
    frame.write_parquet(tmp_path / "rows.parquet")
    for given in (
        frame,
        frame.lazy(),
        frame.to_pandas(),
        frame.to_arrow(),
        frame.to_dict(as_series=False),
        tmp_path / "rows.csv",
        str(tmp_path / "rows.parquet"),
        pd.DataFrame(frame.to_dicts()),
    ):
        found = read(given, COLUMNS).inputs  # type: ignore[arg-type]
        assert found.columns == list(COLUMNS) and found["code"].to_list() == ["7", "7", "8"]
        assert found["age"].to_list() == [63.0, None, 4.5]


def test_columns_that_are_not_there_are_missing_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="2 of 3 columns are missing and read as such: sex, code"):
        found = read([{"age": 5}], COLUMNS).inputs  # type: ignore[arg-type]
    assert found.row(0) == (5.0, None, None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "one row at least, found none"),
        (
            [{"aeg": 1}],
            "row 1: expected columns that the model reads: age, sex, code, found 'aeg'; did you mean 'age'",
        ),
        ([{"age": 1, "sex": "m", "code": "a"}, 5], "row 2: expected a row as {column: value}, found 5"),
        ([{"age": "old", "sex": "m", "code": "a"}], r"row 1 column 'age'.*unreadable input age \('old'\)"),
        ([{"age": float("inf"), "sex": "m", "code": "a"}], "infinite input age"),
        ([{"age": [1], "sex": "m", "code": "a"}], "row 1 column 'age': expected text, a number"),
        ([{"age": 2**70, "sex": "m", "code": "a"}], "row 1 column 'age'"),
        (pl.DataFrame({"x": [1]}), "some of the columns age, sex, code, found x"),
        (pl.DataFrame({"age": [], "sex": [], "code": []}), "at least one row"),
        (5, "a path, a polars, pandas or Arrow table"),
        ("nowhere.csv", "no such file"),
        ("", "the path of a file"),
        (None, "a path, a polars, pandas or Arrow table"),
        ([None], "row 1: expected a row as {column: value}, found None"),
        ("\0", "the path of a file"),
    ],
)
def test_what_is_no_row_is_refused_in_one_line(given: object, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        read(given, COLUMNS)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_rows_with_labels_keep_numbers_and_lists() -> None:
    source = as_source([{"x": 1, "y": ["a", "b"], "z": "q"}, {"x": 2.5, "y": [], "z": 3}], "fit")
    assert source == {"x": [1.0, 2.5], "y": [["a", "b"], []], "z": ["q", "3"]}
    with pytest.raises(RequestError, match="fit: expected a table, or a list of rows"):
        as_source([1, 2], "fit")
