import shutil

import numpy as np
import polars as pl
import pytest

from intertask import Catalogue, Recommender
from intertask.data.prepare import prepare
from intertask.errors import ArtefactError, DataError, LeakageError, RecipeError
from intertask.fitting.assessment import item_tags
from intertask.recipe import Recipe
from intertask.runs import run as runs
from tests import shop


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    runs.train(shop.write_files(folder), folder / "run")
    return folder / "run"


def test_a_run_is_the_library_by_command(trained):
    by_library = Recommender(Recipe.read(trained.parent / "recipe.toml")).fit(shop.log(), shop.catalogue())
    by_command = Recommender.load(trained / "model")
    users = by_library.users.to_list()
    assert by_command.recommend(users=users, k=5).equals(by_library.recommend(users=users, k=5))


def test_a_run_can_be_evaluated_where_its_data_are_gone(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "moved")
    found = runs.evaluate(tmp_path / "moved")
    assert found.protocol.data == shop.corpus().sequences.digest()
    assert found.model == "shop"
    # What was written is what was returned, and evaluating again finds the same.
    again = runs.evaluate(tmp_path / "moved")
    drop = {"seconds": True, "provenance": {"date": True}}
    assert again.model_dump(exclude=drop) == found.model_dump(exclude=drop)
    assert runs.Evaluation.read(tmp_path / "moved" / "evaluation.json") == again


def test_the_recipe_is_kept_as_it_was_written_and_complete(trained):
    assert (trained / "recipe.toml").read_text("utf-8") == shop.TOML
    complete = Recipe.read(trained / "recipe.json")
    assert complete == Recipe.read(trained.parent / "recipe.toml")
    assert complete.train.learning_rate > 0


@pytest.mark.parametrize("missing", ["corpus", "model"])
def test_half_a_run_is_refused(missing, trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / missing)
    with pytest.raises(DataError, match=r"train one with `intertask train`"):
        runs.evaluate(tmp_path / "run")


def test_a_model_is_not_evaluated_on_another_log(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    prepare(shop.log(shop.events(seed=1)), tmp_path / "run" / "corpus")
    before = sorted(file.name for file in (tmp_path / "run").iterdir())
    with pytest.raises(LeakageError, match="found a model that was trained on"):
        runs.evaluate(tmp_path / "run")
    assert sorted(file.name for file in (tmp_path / "run").iterdir()) == before


def test_an_altered_model_is_not_evaluated(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    with (tmp_path / "run" / "model" / "weights.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ArtefactError, match=r"weights\.safetensors"):
        runs.evaluate(tmp_path / "run")


def test_a_recipe_without_data_is_refused(tmp_path):
    (tmp_path / "recipe.toml").write_text("width = 8\n")
    with pytest.raises(
        RecipeError, match=r"\[data\]: expected dataset = .*, found neither; say where the log is"
    ):
        runs.train(tmp_path / "recipe.toml", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_model_of_a_run_is_found_from_both_folders(trained, tmp_path):
    assert runs.model_folder(trained) == runs.model_folder(trained / "model") == trained / "model"
    with pytest.raises(DataError, match="expected the folder of a run or of a model, found neither"):
        runs.model_folder(tmp_path)


def test_tags_of_the_items_stand_in_the_order_of_the_vocabulary():
    tags = item_tags(shop.catalogue(), shop.corpus()).toarray()
    ids = shop.corpus().items.ids.to_list()
    assert tags.shape == (shop.NUM_ITEMS, 3)
    shared = (tags @ tags.T).astype(int)
    for one, first in enumerate(ids):
        for two, second in enumerate(ids):
            # Everything is tagged "all", and odd or even.
            assert shared[one, two] == (2 if int(first[1:]) % 2 == int(second[1:]) % 2 else 1)


def test_tags_are_absent_where_the_catalogue_has_none():
    assert item_tags(None, shop.corpus()) is None
    assert item_tags(Catalogue.read(shop.items(), item="sku", text=["title"]), shop.corpus()) is None
    blank = shop.items().with_columns(genres=pl.lit(None, pl.String))
    assert item_tags(Catalogue.read(blank, item="sku", tags=["genres"]), shop.corpus()) is None


def test_items_without_tags_have_empty_rows():
    some = Catalogue.read(shop.items().head(2), item="sku", tags=["genres"])
    tags = item_tags(some, shop.corpus()).toarray()
    known = np.isin(shop.corpus().items.ids.to_list(), shop.items().head(2)["sku"].to_list())
    assert (tags.any(axis=1) == known).all()
