"""The command line on rows: data, train, evaluate, compare and predict; and predict on a log."""

import json
from pathlib import Path

import polars as pl
import pytest

from intertask import Recipe
from intertask.runs import run as runs
from tests import shop
from tests.samples.clinic import patients

TOML = """\
width = 8
[data.rows]
path = "patients.csv"
labels = ["ill", "days"]
group = "hospital"
time = "seen"
[input]
kind = "table"
num_bins = 8
[encoder]
kind = "attention"
num_layers = 1
[tasks.ill]
kind = "category"
[tasks.days]
kind = "regression"
[train]
epochs = 2
workers = 0
[evaluation]
resamples = 100
references = {linear = {kind = "linear", strengths = [1.0]}}
"""


def write_files(folder: Path) -> Path:
    patients(200).write_csv(folder / "patients.csv")
    (folder / "clinic.toml").write_text(TOML)
    return folder / "clinic.toml"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """A run on rows that nobody may change but by evaluating it."""
    folder = tmp_path_factory.mktemp("clinic")
    runs.train(write_files(folder), folder / "run")
    return folder / "run"


def test_rows_are_counted_evaluated_and_compared(clinic, intertask):
    counted = intertask("data", clinic.parent / "clinic.toml", "--json")
    assert counted.code == 0 and json.loads(counted.out)["rows"] == 200
    ill, days = (json.loads(counted.out)["labels"][name] for name in ("ill", "days"))
    assert set(ill) == {"no", "yes"} and sum(ill.values()) == 200  # rows of each class
    numbers = pl.read_csv(clinic.parent / "patients.csv")["days"].cast(pl.Float64, strict=False).drop_nulls()
    assert days == {
        "values": len(numbers),
        "least": numbers.min(),
        "median": pytest.approx(numbers.median()),
        "greatest": numbers.max(),
    }
    done = intertask("evaluate", clinic)
    assert done.code == 0 and "report.html" in done.out.replace("\n", "")
    assert "days" in (clinic / "report.html").read_text()
    compared = intertask("compare", clinic, clinic, "--json")
    assert compared.code == 0, compared
    assert {row["task"] for row in json.loads(compared.out)["rows"]} == {"ill", "days"}


def test_a_row_is_answered_and_one_that_is_unsure_is_not(clinic, intertask):
    done = intertask(
        "predict", clinic, "--row", "age=63, pain=strong,noise=0", "--row", "age=20,pain=none", "--json"
    )
    assert done.code == 0, done
    rows = json.loads(done.out)
    assert len(rows) == 2 and set(rows[0]) == {"ill", "ill_probability", "ill=no", "ill=yes", "days"}
    done = intertask(
        "predict", clinic, "--row", "age=63,pain=strong,noise=0", "--task", "ill", "--at-least", 1
    )
    assert "no answer" in done.out and "True" in done.out


@pytest.mark.parametrize("kind", [".parquet", ".csv", ".jsonl"])
def test_a_file_of_rows_is_answered_in_a_file(kind, clinic, tmp_path, intertask):
    patients(50, seed=4).write_parquet(tmp_path / "rows.parquet")
    out = tmp_path / f"answers{kind}"
    words = ["predict", clinic, "--file", tmp_path / "rows.parquet", "--out", out]
    assert "50 rows" in intertask(*words).out
    read = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".jsonl": pl.read_ndjson}[kind](out)
    assert read.columns[:2] == ["row", "ill"] and read["row"].to_list() == list(range(1, 51))
    assert "a name that is free" in intertask.refused(*words)
    assert intertask(*words, "--overwrite").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--row, --file, --text, --image or --audio, found neither"),
        (["--row", "age=1", "--file", "x.csv"], "found --row and --file"),
        (["--row", "age"], "COLUMN=VALUE"),
        (["--row", ""], "COLUMN=VALUE"),
        (["--row", "age=1,age=2"], "each column once"),
        (["--row", "aeg=1"], "did you mean 'age'"),
        (["--row", "age=old,pain=none,noise=1"], "unreadable input age"),
        (["--row", "age=1", "--task", "iil"], "a task: ill, days"),
        (["--row", "age=1", "--out", "answers.xlsx"], "a file ending in .parquet"),
        (["--file", "nowhere.csv"], "no such file"),
    ],
)
def test_what_cannot_be_predicted_is_refused_in_one_line(words, message, clinic, intertask):
    done = intertask("predict", clinic, *words)
    assert done.code == 2 and done.out == ""
    assert message in done.err and "Traceback" not in done.err


def test_a_model_of_rows_recommends_nothing_and_names_predict(clinic, intertask):
    told = intertask.refused("recommend", clinic, "--user", "1")
    assert "one of rows of a table; ask it with intertask predict" in told


def test_responses_of_a_log_are_predicted_for_users_and_items(trained, tmp_path, intertask):
    done = intertask("predict", trained, "--row", "user=ü1,item=№3", "--row", "user=ü2,item=№1", "--json")
    assert done.code == 0, done
    rows = json.loads(done.out)
    assert [row["user"] for row in rows] == ["ü1", "ü2"] and 0 < rows[0]["liked"] < 1
    pairs = pl.DataFrame({"user": ["ü2", "ü1", "ü2"], "item": ["№1", "№3", "№2"]})
    pairs.write_parquet(tmp_path / "pairs.parquet")
    assert (
        intertask(
            "predict", trained, "--file", tmp_path / "pairs.parquet", "--out", tmp_path / "a.parquet"
        ).code
        == 0
    )
    written = pl.read_parquet(tmp_path / "a.parquet")
    assert (
        written.columns == ["row", "user", "item", "liked"]
        and written["item"].to_list() == pairs["item"].to_list()
    )
    assert written["liked"][1] == pytest.approx(rows[0]["liked"], abs=1e-5)
    assert "user=USER,item=ITEM" in intertask.refused("predict", trained, "--row", "user=ü1")
    assert "unknown" in intertask.refused("predict", trained, "--row", "user=nobody,item=№3")
    assert "a response task: liked" in intertask.refused(
        "predict", trained, "--row", "user=ü1,item=№3", "--task", "next"
    )
    assert shop.NUM_ITEMS == 15


@pytest.mark.parametrize(
    ("line", "other", "message"),
    [
        ('labels = ["ill", "days"]', 'labels = ["ill"]', "a label of the rows: ill, found 'days'"),
        ('group = "hospital"', 'group = "hospitl"', "did you mean 'hospital'"),
        ('path = "patients.csv"', 'path = "patient.csv"', "no such file"),
        ('time = "seen"', 'numbers = ["age", "ill"]', "no label among the inputs"),
        ('time = "seen"', 'numbers = ["pain"]', "unreadable input pain"),
        (
            "[tasks.ill]",
            '[split]\nkind = "groups_out"\ntest = ["x"]\n[tasks.ill]',
            "groups of the rows, as 'east'",
        ),
        ("[tasks.ill]", '[split]\nkind = "time"\n[tasks.ill]', "a split of rows of a table: official"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused_before_anything_is_written(
    line, other, message, tmp_path, intertask
):
    recipe = write_files(tmp_path)
    recipe.write_text(TOML.replace(line, other))
    assert message in intertask.refused("train", recipe, "--run", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_table_with_labels_becomes_a_recipe_that_fits(tmp_path, monkeypatch, intertask):
    monkeypatch.chdir(tmp_path)
    patients(200).drop("hospital", "seen").write_csv("patients.csv")
    done = intertask("init", "patients.csv", "--label", "ill", "--label", "days")
    assert done.code == 0 and "intertask predict runs/patients --row" in done.out, done
    recipe = Recipe.read(Path("patients.toml"))
    assert {name: task.kind for name, task in recipe.tasks.items()} == {
        "ill": "category",
        "days": "regression",
    }
    assert intertask("data", "patients.toml").code == 0
    assert "one of the columns age" in intertask.refused(
        "init", "patients.csv", "--label", "il", "--out", "x.toml"
    )
    assert "--label" in intertask("init", "--help").out
