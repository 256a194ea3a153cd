"""Whatever a user is likely to do wrong gets one clear line and exit code 2."""

import json
import os
import shutil
import subprocess
import warnings
from pathlib import Path

import polars as pl
import pytest

from tests import shop


def mended(shop_files, old, new):
    """The recipe with one thing changed."""
    text = shop_files.read_text(encoding="utf-8")
    assert old in text
    shop_files.write_text(text.replace(old, new), encoding="utf-8")
    return shop_files


def with_events(shop_files, frame):
    shop.write_files(shop_files.parent, frame=frame)
    return shop_files


def tree(folder="."):
    return {file: file.read_bytes() for file in sorted(Path(folder).rglob("*")) if file.is_file()}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            'item = "sku"\ntime',
            'item = "skuu"\ntime',
            "events.csv: expected a column 'skuu' for item, found the columns visitor, sku, ts, action, "
            "liked; did you mean 'sku'?",
        ),
        ("epochs", "epochz", "did you mean 'epochs'?"),
        ("[encoder]", "[encodr]", "recipe.toml encodr: expected one of balance, communication"),
        ('"gru"', '"grru"', "recipe.toml [encoder] kind: expected one of attention, gru, hstu"),
        ("width = 8", 'width = "wide"', "recipe.toml width: expected a valid integer"),
        ("width = 8", "width = 0", "recipe.toml width: expected greater than or equal to 1, found 0"),
        ("width = 8", "width =", "recipe.toml: expected a TOML file, found Invalid value (at line 2"),
        ('"buy"', '"by"', "[tasks.buys] behaviour: expected one of buy, cart, view, found 'by'"),
        ('label = "liked"', 'label = "like"', "label 'like': expected one of liked, found 'like'; map"),
        (
            'label = "liked"',
            'label = "liked"\nat_least = 7',
            "label 'liked' at_least 7: expected a yes at some training event that follows another, found",
        ),
        (
            'label = "liked"',
            'label = "liked"\n[tasks.bought]\nkind = "response"\nbehaviour = "buy"\n[tasks.viewed]\n'
            'kind = "response"\nbehaviour = "view"\ngiven = "bought"',
            "[tasks.viewed] given: expected a yes to 'bought' at each event that has one to 'viewed', found",
        ),
        ("events.csv", "event.csv", "event.csv: expected a file, found no such file; did you mean"),
        ("events.csv", "items.csv", "items.csv: expected a column 'visitor' for user, found the"),
        ("events.csv", ".", ".: expected a file ending in .parquet, .csv"),
        ("epochs = 2", 'epochs = 2\ndevice = "tpu"', "[train] device: expected "),
        ("[data.events]", "[data.evnts]", "[data] evnts: expected one of catalogue, dataset, events"),
    ],
)
def test_a_mistake_in_the_recipe(old, new, line, shop_files, intertask):
    before = set(Path().iterdir())
    assert line in intertask.refused("train", mended(shop_files, old, new), "--run", "some/deep/run")
    assert set(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("events.xlsx", "events.xlsx: expected a file ending in .parquet, .csv, .tsv"),
        ("events.parquet", "events.parquet: expected a complete file of the kind its name says, found"),
        ("events.jsonl", "events.jsonl: expected"),
    ],
)
def test_a_file_of_the_wrong_type(name, line, shop_files, intertask):
    shutil.copy("events.csv", name)
    assert intertask.refused("data", mended(shop_files, "events.csv", name)).startswith(line)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda f: f.head(0), "events.csv: expected at least one event, found an empty log; check the file"),
        (
            lambda f: f.with_columns(sku=pl.lit("only")),
            "events.csv: expected at least two items, found only 'only'; is the item column the right one?",
        ),
        (
            lambda f: f.filter(pl.col("visitor").is_first_distinct()),
            "[split] leave_one_out: expected at least one user with three events, found 1 at most",
        ),
        (
            lambda f: f.with_columns(liked=pl.lit("NaN")),
            "label 'liked': expected a label at some training event that follows another, found none",
        ),
        (
            lambda f: f.with_columns(liked=pl.lit("inf")),
            "events.csv row 1 column 'liked': expected usable values, found infinite liked ('inf'); 262 of",
        ),
        (
            lambda f: f.with_columns(liked=pl.lit(4)),
            "label 'liked': expected 0 or 1, as a binary response has, found 4; add at_least = ...",
        ),
        (
            lambda f: f.with_columns(ts=pl.lit("yesterday")),
            "events.csv column 'ts': expected times that can be read in one way only, found unreadable",
        ),
    ],
)
def test_a_log_that_cannot_be_trained_on(change, line, shop_files, intertask):
    found = intertask.refused("train", with_events(shop_files, change(shop.events())), "--run", "run")
    assert found.startswith(line)
    assert not Path("run").exists()


def test_an_empty_file(shop_files, intertask):
    Path("events.csv").write_text("")
    assert intertask.refused("train", shop_files) == "events.csv: expected a CSV file, found an empty file"


def test_a_catalogue_that_misses_items_is_no_mistake(shop_files, intertask):
    shop.items().head(2).write_csv("items.csv")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        trained = intertask("train", shop_files, "--run", "run")
    assert trained.code == 0
    assert "the catalogue lacks 13 of 15 items" in trained.err
    assert intertask("evaluate", "run").code == 0
    rows = json.loads(intertask("recommend", "run", "-u", "ü1", "--seen", "-k", shop.NUM_ITEMS, "--json").out)
    assert {row["title"] for row in rows} == {
        "Thing 0",
        "Thing 1",
        *(f"№{n}" for n in range(2, shop.NUM_ITEMS)),
    }


def test_a_training_that_is_no_recipe(shop_files, intertask):
    assert intertask.refused("train", "none.toml") == "none.toml: expected a recipe file, found no such file"
    assert intertask.refused("train", "events.csv").startswith("events.csv: expected a TOML file, found")
    assert intertask.refused("train", ".") == ".: expected a recipe file, found a folder"
    assert intertask.refused("data", "events.csv") == (
        "data: expected a recipe file (.toml) or the name of a data set, found 'events.csv'; "
        "name the file in a recipe, under [data.events] or [data.rows]"
    )
    assert "did you mean 'movielens_1m'?" in intertask.refused("data", "movielens")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["-u", "nobody"],
            "users: expected users of the log, found 'nobody', 1 of 1 unknown; ask by a history",
        ),
        (["-u", "ü1", "-k", "16"], "k: expected 1 to 15, the size of the catalogue, found 16"),
        (["-u", "ü1", "-k", "0"], "k: expected 1 to 15, the size of the catalogue, found 0"),
        (["--sample", "1", "-k", "16"], "k: expected 1 to 15, the size of the catalogue, found 16"),
        ([], "recommend: expected one of --user, --users-file, --all, --history and --sample, found none of"),
        (
            ["-u", "ü1", "--history", "№1"],
            "recommend: expected one of --user, --users-file, --all, --history",
        ),
        (["--all"], "recommend --all: expected --out beside it, found none; name a file, as --out lists"),
        (
            ["--history", "№1", "--out", "a.csv"],
            "recommend --out: expected --user, --users-file or --all, found",
        ),
        (
            ["--sample", "1", "--where", "x == 1"],
            "recommend --sample: expected --k and --behaviour beside it",
        ),
        (
            ["-u", "ü1", "--out", "a.xlsx"],
            "a.xlsx: expected a file ending in .parquet, .csv, .jsonl, found '.xlsx'",
        ),
        (["-u", "ü1", "--allow", ""], "--allow: expected an id, or several with commas between, found ''"),
        (["-u", " , "], "--user: expected an id, or several with commas between, found ' , '"),
        (
            ["-u", "ü1", "--where", "group == 'BAG'"],
            "where: expected columns of the catalogue, 'item', 'title', ",
        ),
        (
            ["-u", "ü1", "--where", "title = 'x'"],
            "where: expected a condition on columns of the catalogue, as gr",
        ),
        (
            ["--users-file", "none.txt"],
            "--user file none.txt: expected a text file with one id a line, found no such",
        ),
        (
            ["-u", "ü1", "--allow-file", "/"],
            "--allow file /: expected a text file with one id a line, found a folder",
        ),
        (
            ["-u", "ü1", "--deny-file", "/dev/zero"],
            "--deny file /dev/zero: expected a text file with one id a line",
        ),
        (["-u", "\udcff"], "users: expected text in Unicode, found '\\udcff'"),
        (
            ["-u", "ü1", "--behaviour", "steal"],
            "behaviour: expected one that a task was trained for: buy, found",
        ),
        (
            ["-u", "ü1", "--objective", "buy=1,buy=2"],
            "--objective: expected one weight for each task, found two",
        ),
        (["-u", "ü1", "--objective", ""], "objective: expected a task with a weight above zero, found {}"),
        (
            ["--history", "№1=steal"],
            "histories[0]: expected a behaviour among buy, cart, view, found 'steal'",
        ),
    ],
)
def test_a_request_that_cannot_be_answered(words, line, trained, intertask):
    assert intertask.refused("recommend", trained, *words).startswith(line)


@pytest.mark.parametrize("verb", ["recommend", "evaluate", "compare"])
@pytest.mark.parametrize("folder", [".", "nowhere", "recipe.toml"])
def test_a_folder_that_is_no_run(verb, folder, trained, shop_files, intertask):
    words = {"recommend": [folder, "-u", "ü1"], "evaluate": [folder], "compare": [trained, folder]}[verb]
    line = intertask.refused(verb, *words)
    assert line.startswith(folder if folder != "." else (".", "evaluation.json"))
    assert "`intertask evaluate`" in line if verb == "compare" else "train one with `intertask train`" in line


def test_an_altered_model_is_named(trained, tmp_path, intertask):
    shutil.copytree(trained / "model", tmp_path / "model")
    (tmp_path / "model" / "weights.safetensors").write_bytes(b"")
    line = intertask.refused("recommend", tmp_path / "model", "-u", "ü1")
    assert line.startswith(f"{tmp_path}/model/weights.safetensors: expected SHA-256")


def test_a_model_of_a_newer_version(trained, tmp_path, intertask):
    shutil.copytree(trained, tmp_path / "run")
    file = tmp_path / "run" / "model" / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 9, "version": "4.2"}))
    for words in (["recommend", tmp_path / "run", "-u", "ü1"], ["evaluate", tmp_path / "run"]):
        assert intertask.refused(*words) == (
            f"{file}: expected format 2 or older, found format 9, written by intertask 4.2; upgrade intertask"
        )


@pytest.mark.parametrize("kilobytes", [8, 40, 64])
def test_a_full_disk(kilobytes, shop_files, intertask):
    Path("disk").mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", "disk"]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("only a user who may mount can make a small disk")
    try:
        mended(shop_files, "epochs = 2", "epochs = 20")
        line = intertask.refused("train", shop_files, "--run", "disk/run")
        assert line.startswith("disk/run")
        assert "No space left on device" in line or "written" in line
        left = {name for path, folders, names in os.walk("disk") for name in (*folders, *names)}
        assert not [name for name in left if name.startswith(".")]
        assert "manifest.json" not in left
        subprocess.run(["mount", "-o", "remount,size=8m", "disk"], check=True)
        assert intertask("train", shop_files, "--run", "disk/run").code == 0
        assert intertask("recommend", "disk/run", "-u", "ü1").code == 0
    finally:
        subprocess.run(["umount", "disk"], check=True)


@pytest.mark.parametrize("place", ["file/run", "/proc/run"])
def test_a_place_that_cannot_be_written_to(place, shop_files, intertask):
    Path("file").touch()
    for words in (["train", shop_files, "--run", place], ["data", shop_files, "--out", place]):
        line = intertask.refused(*words)
        assert line.startswith(place)
        assert "expected a place with room that can be written to" in line


@pytest.mark.parametrize("change", ["recipe", "seed", "data"])
def test_a_run_of_another_recipe_or_other_data_is_left_as_it_was(change, shop_files, intertask):
    assert intertask("train", shop_files, "--run", "run").code == 0
    before = tree("run")
    words = ["--seed", "9"] if change == "seed" else []
    if change == "recipe":
        mended(shop_files, "width = 8", "width = 16")
    if change == "data":
        with_events(shop_files, shop.events(seed=5))
    line = intertask.refused("train", shop_files, "--run", "run", *words)
    what = {"recipe": "options (width)", "seed": "options (seed)", "data": "data"}[change]
    assert line.startswith(f"run: expected a run of this recipe and data, found other {what}")
    assert line.endswith("choose another folder for the run, or delete this one")
    assert tree("run") == before


def test_something_that_stands_beside_the_model_is_not_deleted(shop_files, intertask):
    assert intertask("train", shop_files, "--run", "run").code == 0
    notes = Path("run/model/notes.txt")
    notes.write_text("years of work")
    assert "'notes.txt' beside a model" in intertask.refused("train", shop_files, "--run", "run")
    assert notes.read_text() == "years of work"


def test_a_wrong_word_on_the_command_line_is_no_traceback(intertask):
    for words in (["trian"], ["recommend"], ["train", "a", "b"], ["recommend", "x", "-k", "many"]):
        done = intertask(*words)
        assert done.code == 2
        assert "Usage: intertask" in done.err
        assert "Traceback" not in done.err


def test_list_of_an_unknown_folder(intertask):
    assert intertask.refused("list", "encodrs").startswith("list: expected one of inputs, encoders")
