"""Columns of vectors in a catalogue: lists of numbers, or text of numbers."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intertask.data.catalogue import Catalogue
from intertask.errors import DataError

KNOWN = [[1.0, 2.5], [0.0, -3.0], None]


def read(column: object, **options: object) -> Catalogue:
    column = column if isinstance(column, pl.Series) else pl.Series("look", column, strict=False)
    frame = pl.DataFrame({"item": [f"i{n}" for n in range(len(column))]}).with_columns(look=column)
    return Catalogue.read(frame, vectors=["look"], **options)


@pytest.mark.parametrize(
    "column",
    [
        KNOWN,
        pl.Series(KNOWN, dtype=pl.List(pl.Float64)),
        pl.Series(KNOWN, dtype=pl.Array(pl.Float32, 2)),
        ["[1.0, 2.5]", "(0 -3)", ""],
        ["1;2.5", " 0 ; -3.0 ", "NULL"],
        ["1.0\t2.5", "0  -3e0", None],
    ],
    ids=["lists", "wide", "arrays", "brackets", "semicolons", "blanks"],
)
def test_vectors_are_lists_of_numbers_or_text_of_numbers(column) -> None:
    found = read(column)
    assert found.frame.schema["look"] == pl.List(pl.Float32)
    assert found.frame["look"].to_list() == KNOWN and found.report.refused == 0
    assert Catalogue.from_roles(found.frame, found.roles()).vectors == ("look",)


def test_whole_numbers_are_vectors_as_well(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"item": 1, "look": [1, 2]}\n{"item": 2, "look": []}\n')
    found = Catalogue.read(tmp_path / "items.jsonl", vectors=["look"])
    assert found.frame["look"].to_list() == [[1.0, 2.0], None]


def test_rows_whose_vectors_cannot_be_used_are_refused() -> None:
    found = read(["1 2 3", "4 5 6", "7 8", "1 x 3", "1 nan 3", "1 2 1e60"])
    assert found.frame["look"].to_list() == [[1, 2, 3], [4, 5, 6]]
    assert found.report.counts == {
        "look has not 3 numbers, as most have": 1,
        "unreadable look": 1,
        "NaN or infinite look": 2,
    }
    with pytest.raises(DataError, match=r"row 3.*look has not 3 numbers"):
        read(["1 2 3", "4 5 6", "7 8"], strict=True)


@pytest.mark.parametrize("column", [[1.5, 2.0], [["a"], ["b"]], [[[1.0]], [[2.0]]], [True, False]])
def test_a_column_that_holds_none_is_refused(column) -> None:
    with pytest.raises(DataError, match="expected lists of numbers for look"):
        read(column)


def test_a_column_without_any_is_empty() -> None:
    assert read([None, ""]).frame["look"].to_list() == [None, None]


@pytest.mark.parametrize("vectors", [[[1.0], [1.0, 2.0]], [[1.0], [math.nan]], [[1.0], [None]]])
def test_a_folder_with_other_vectors_is_refused(vectors) -> None:
    frame = pl.DataFrame({"item": ["a", "b"], "look": pl.Series(vectors, dtype=pl.List(pl.Float32))})
    with pytest.raises(DataError, match="catalogue look: expected finite numbers, in all rows as many"):
        Catalogue.from_roles(frame, {"vectors": ["look"]})


def test_a_catalogue_without_vectors_has_the_roles_that_it_had() -> None:
    frame = pl.DataFrame({"item": ["a"], "title": ["A"]})
    assert "vectors" not in Catalogue.read(frame, text=["title"]).roles()
    assert read(KNOWN).digest() != read([[1.0, 2.0], *KNOWN[1:]]).digest()


def test_many_vectors_are_read_as_they_are() -> None:
    given = np.random.default_rng(0).normal(size=(500, 32)).astype(np.float32)
    found = read(pl.Series(given))
    assert np.array_equal(np.stack(found.frame["look"].to_list()).astype(np.float32), given)
