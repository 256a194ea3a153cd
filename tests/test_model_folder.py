"""A model folder that agrees with itself, its checksums included, and is wrong all the same."""

import json
import os
import shutil

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from intertask import Recipe, Recommender, artefact
from intertask.artefact.log import LogArtefact
from intertask.errors import ArtefactError
from intertask.tasks.regression import Config as Regression
from tests import hostile, shop


@pytest.fixture
def folder(tmp_path):
    shop.recommender().save(tmp_path / "model")
    return tmp_path / "model"


def refused(folder):
    with pytest.raises(ArtefactError) as caught:
        Recommender.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/")


def change_json(folder, name, change):
    table = json.loads((folder / name).read_text(encoding="utf-8"))
    change(table)
    hostile.write_json(folder / name, table)


@pytest.mark.parametrize(
    ("array", "value", "message"),
    [
        ("items.embedding.weight", np.nan, "finite numbers of at most 1e+06, found nan"),
        ("items.embedding.weight", np.inf, "finite numbers of at most 1e+06, found inf"),
        ("items.embedding.weight", -1e30, "finite numbers of at most 1e+06, found -1e+30"),
        ("tasks.next.calibration", 0.0, "0.001 to 1000, found 0"),
        ("tasks.next.calibration", -1.0, "0.001 to 1000, found -1"),
    ],
)
def test_weights_that_answer_nonsense_are_refused(array, value, message, folder):
    weights = load_file(folder / "weights.safetensors")
    weights[array].reshape(-1)[-1] = value
    save_file(weights, folder / "weights.safetensors")
    hostile.seal(folder)
    assert refused(folder) == f"weights.safetensors {array}: expected {message}"


@pytest.mark.parametrize(
    ("array", "change", "message"),
    [
        ("items", lambda a: np.where(a == a[3], 15, a), "items: expected numbers of 0 to 14, found 15"),
        ("items", lambda a: a - 5, "items: expected numbers of 0 to 14, found -5"),
        ("behaviours", lambda a: a + 1, "behaviours: expected numbers of 0 to 2, found 3"),
        ("offsets", lambda a: a[::-1], "offsets: expected numbers that rise"),
        ("offsets", lambda a: a + 1, "offsets: expected numbers that rise"),
        (
            "offsets",
            lambda a: a.astype(np.int32),
            "the arrays of the schema: offsets int64 [31], found int32 [31]",
        ),
        ("times", lambda a: a[::-1], "times: expected times that never fall within a user"),
        ("times", lambda a: a + 2**60, "times: expected numbers of -9223372036854 to 9223372036854"),
        ("popularity", lambda a: a - 10, "popularity: expected counts of events"),
        ("popularity", lambda a: a + 2**61, "popularity: expected counts of events"),
        ("popularity", lambda a: a[:, 1:], "popularity int64 [3, 15], found int64 [3, 14]"),
    ],
)
def test_histories_that_cannot_be_are_refused(array, change, message, folder):
    arrays = load_file(folder / "histories.safetensors")
    arrays[array] = np.ascontiguousarray(change(arrays[array]))
    save_file(arrays, folder / "histories.safetensors")
    hostile.seal(folder)
    line = refused(folder)
    assert line.startswith("histories.safetensors") and message in line


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("items", lambda f: f.head(14), "items.parquet: expected 15 ids, found 14"),
        ("items", lambda f: f.with_columns(id=pl.lit("a")), "items.parquet id: expected each id once"),
        (
            "users",
            lambda f: f.with_columns(id=pl.lit(None, pl.String)),
            "users.parquet id: expected each id once",
        ),
        (
            "users",
            lambda f: f.with_columns(id=pl.int_range(pl.len()) + 0.5),
            "users.parquet id: expected ids of",
        ),
        ("users", lambda f: f.rename({"id": "user"}), "users.parquet: expected the columns id, found user"),
        (
            "catalogue",
            lambda f: f.with_columns(title=pl.lit(1)),
            "catalogue.parquet catalogue title: expected String",
        ),
        ("catalogue", lambda f: f.drop("genres"), "catalogue.parquet catalogue: expected a column 'genres'"),
        (
            "catalogue",
            lambda f: f.with_columns(more=1),
            "catalogue.parquet catalogue: expected no column without",
        ),
    ],
)
def test_tables_that_do_not_fit_the_schema_are_refused(name, change, message, folder):
    change(pl.read_parquet(folder / f"{name}.parquet")).write_parquet(folder / f"{name}.parquet")
    hostile.seal(folder)
    assert refused(folder).startswith(message)


@pytest.mark.parametrize(
    "bomb",
    [
        pl.DataFrame({"id": np.zeros(10**8, np.int8)}),
        pl.DataFrame({"id": ["x" * 10**8]}),
        pl.DataFrame({"id": [["x"] * 10**7]}),
    ],
    ids=["rows", "text", "list"],
)
def test_a_table_that_grows_out_of_proportion_is_refused_before_it_is_read(bomb, folder, monkeypatch):
    bomb.write_parquet(folder / "catalogue.parquet")
    assert (folder / "catalogue.parquet").stat().st_size < 10**6
    hostile.seal(folder)
    monkeypatch.setattr(pl, "read_parquet", None)
    assert "catalogue.parquet: expected a table of at most" in refused(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.update(num_items=2**40), "schema.json num_items: expected less than 2147483648"),
        (lambda t: t.update(num_items="15"), "schema.json num_items: expected a valid integer, found '15'"),
        (lambda t: t.update(num_items=True), "schema.json num_items: expected a valid integer, found True"),
        (
            lambda t: t.update(num_users=29),
            "histories.safetensors: expected the arrays of the schema: offsets",
        ),
        (
            lambda t: t.update(num_items=10**9),
            "weights.safetensors: expected the weights of the recipe: items.",
        ),
        (
            lambda t: t.update(behaviours=["a", "a", "b"]),
            "schema.json behaviours: expected each behaviour once",
        ),
        (lambda t: t.update(behaviours=[]), "schema.json behaviours: expected"),
        (
            lambda t: t.update(catalogue={"price": ["title"]}),
            "catalogue.parquet catalogue: expected columns in the",
        ),
        (lambda t: t.update(more=1), "schema.json more: expected one of"),
    ],
)
def test_a_schema_that_the_files_contradict_is_refused(change, message, folder):
    change_json(folder, "schema.json", change)
    hostile.seal(folder)
    assert refused(folder).startswith(message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.update(width=16), "weights.safetensors: expected the weights of the recipe"),
        (
            lambda t: t["encoder"].pop("dropout"),
            "recipe.json encoder.dropout: expected every option of the model",
        ),
        (
            lambda t: t.update(json.loads(Recipe(tasks={"a": "regression"}).to_json())),
            "recipe.json: expected a recipe of a log, found one of rows of a table",
        ),
        (
            lambda t: t["tasks"].update(a=json.loads(Regression().model_dump_json())),
            "recipe.json [tasks.next]: expected a task of rows of a table: category, forecast, "
            "regression, tags, transcription, found 'next_item'",
        ),
        (
            lambda t: t["tasks"]["buys"].update(behaviour="sell"),
            "recipe.json [tasks.buys] behaviour: expected one",
        ),
        (lambda t: t.update(seed=10**400), "recipe.json seed: expected a number of 64 bits at most"),
        (lambda t: t["tasks"].update(next=None), "recipe.json [tasks.next]: expected a table"),
    ],
)
def test_a_recipe_of_another_model_is_refused(change, message, folder):
    change_json(folder, "recipe.json", change)
    hostile.seal(folder)
    assert refused(folder).startswith(message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.update(format=True), "manifest.json format: expected a valid integer, found True"),
        (lambda t: t.update(format=2.0), "manifest.json format: expected a valid integer, found 2.0"),
        (lambda t: t.update(format=0), "manifest.json format: expected greater than or equal to 1"),
        (
            lambda t: t["files"].update({"../x": "0" * 64}),
            "manifest.json files: expected the files of a model",
        ),
        (
            lambda t: t["files"].update({"/etc/passwd": "0" * 64}),
            "manifest.json files: expected the files of a",
        ),
        (lambda t: t["files"].pop("items.parquet"), "manifest.json files: expected the file items.parquet"),
        (
            lambda t: t["files"].update({"items.parquet": t["files"]["items.parquet"].upper()}),
            "manifest.json files: expected 64 hexadecimal digits for items.parquet",
        ),
    ],
)
def test_a_manifest_of_something_else_is_refused(change, message, folder):
    change_json(folder, "manifest.json", change)
    assert refused(folder).startswith(message)


@pytest.mark.parametrize("name", ["manifest.json", "recipe.json", "weights.safetensors", "users.parquet"])
@pytest.mark.parametrize("kind", ["pipe", "loop", "device", "memory"])
def test_what_is_no_file_is_refused_at_once(name, kind, folder):
    (folder / name).unlink()
    if kind == "pipe":
        os.mkfifo(folder / name)
    else:
        target = {"loop": name, "device": "/dev/zero", "memory": "/proc/self/mem"}[kind]
        (folder / name).symlink_to(target)
    assert refused(folder).startswith(f"{name}: expected")


def test_a_hole_of_a_terabyte_is_neither_read_nor_hashed(folder):
    for name in ("schema.json", "weights.safetensors", "histories.safetensors", "items.parquet"):
        shutil.copy(folder / name, folder.parent / name)
        with (folder / name).open("wb") as file:
            file.truncate(1 << 40)
        assert refused(folder).startswith(f"{name}: expected")
        shutil.copy(folder.parent / name, folder / name)
    Recommender.load(folder)


def test_files_may_be_links_to_files(folder, tmp_path):
    shutil.move(folder / "users.parquet", tmp_path / "users")
    (folder / "users.parquet").symlink_to(tmp_path / "users")
    assert artefact.load(folder, LogArtefact).users.ids.len() == shop.NUM_USERS


def test_a_recipe_of_a_huge_model_is_refused_before_it_is_built(folder, monkeypatch):
    change_json(folder, "recipe.json", lambda table: table.update(width=4096, max_length=10_000))
    hostile.seal(folder)
    monkeypatch.setattr("intertask.answering.recommender_folder.build", None)
    assert refused(folder).startswith("weights.safetensors: expected the weights of the recipe")
