"""A file of rows that is answered batch by batch."""

import warnings
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from intertask import Predictor
from intertask.delivery import batches
from intertask.errors import RequestError
from tests.samples.clinic import patients
from tests.samples.runs import fitted, recipe

READ = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".jsonl": pl.read_ndjson}


def model() -> Predictor:
    return Predictor.trained(recipe(), fitted())


@pytest.mark.parametrize("out", READ)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_batches_give_the_answers_of_the_whole(kind: str, out: str, tmp_path: Path) -> None:
    given = patients(53, seed=4)
    file, answers = tmp_path / f"rows.{kind}", tmp_path / f"answers{out}"
    given.write_csv(file) if kind == "csv" else given.write_parquet(file)
    assert batches.answer(model(), file, answers, size=10) == 53
    found, expected = READ[out](answers), model().predict(file)
    assert found["row"].to_list() == list(range(1, 54))
    assert_frame_equal(found.drop("row"), expected, check_dtypes=False, abs_tol=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([file.name, answers.name])


def test_a_batch_of_which_nothing_is_answered_joins_the_others(tmp_path: Path) -> None:
    patients(40, seed=4).write_parquet(tmp_path / "rows.parquet")
    told = model().predict(tmp_path / "rows.parquet", task="ill")["ill_probability"]
    least = float(told.sort(descending=True)[2])  # three rows of forty have an answer
    batches.answer(
        model(), tmp_path / "rows.parquet", tmp_path / "a.parquet", task="ill", at_least=least, size=5
    )
    found = pl.read_parquet(tmp_path / "a.parquet")
    assert (found["ill"].is_not_null() == (told >= least)).all() and found.schema["ill"] == pl.String


def test_a_bad_row_in_a_late_batch_leaves_the_old_answers_and_is_named(tmp_path: Path) -> None:
    given = patients(40, seed=4).with_columns(pl.col("age").cast(pl.String))
    given = given.with_columns(age=pl.when(pl.int_range(40) == 33).then(pl.lit("old")).otherwise("age"))
    given.write_csv(tmp_path / "rows.csv")
    (tmp_path / "a.csv").write_text("of before")
    with pytest.raises(RequestError, match=r"rows.csv after row 30: row 4 column 'age'.*'old'"):
        batches.answer(model(), tmp_path / "rows.csv", tmp_path / "a.csv", size=10)
    assert (tmp_path / "a.csv").read_text() == "of before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "rows.csv"]


def test_what_is_missing_is_said_once(tmp_path: Path) -> None:
    patients(30, seed=4).drop("pain").write_csv(tmp_path / "rows.csv")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        batches.answer(model(), tmp_path / "rows.csv", tmp_path / "a.csv", size=10)
    assert [str(own.message) for own in said] == ["1 of 3 columns are missing and read as such: pain"]
