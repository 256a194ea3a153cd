"""What a log holds, and whether a recipe fits it, without the command line."""

import pytest

from intertask.data.prepare import open_corpus
from intertask.errors import DataError, RecipeError
from intertask.recipe import Recipe
from intertask.runs.inspection import inspect
from intertask.runs.study import settled
from tests import shop


@pytest.fixture
def recipe(tmp_path):
    shop.write_files(tmp_path)
    return Recipe.read(tmp_path / "recipe.toml")


def sections(recipe):
    return {name: view.data for name, view in recipe.views().items()}


def test_what_fits_is_counted_and_written(recipe, tmp_path):
    found = inspect(sections(recipe), tmp_path, recipe=recipe, out=tmp_path / "out")
    behaviours = found.counts["behaviours"]
    assert found.misfit is None and isinstance(behaviours, dict)
    assert found.counts["users"] == shop.NUM_USERS
    assert sum(behaviours.values()) == found.counts["events"]
    assert (tmp_path / "out" / "sequences").is_dir()


def test_what_does_not_fit_is_counted_and_not_written(recipe, tmp_path):
    other = recipe.with_({"tasks.buys.behaviour": "by"})
    found = inspect(sections(other), tmp_path, recipe=other, out=tmp_path / "out")
    assert isinstance(found.misfit, RecipeError) and "by" in str(found.misfit)
    assert found.counts == inspect(sections(recipe), tmp_path).counts
    assert not (tmp_path / "out").exists()


def test_a_log_that_cannot_be_used_is_an_error_and_no_finding(recipe, tmp_path):
    with pytest.raises(DataError):
        inspect(sections(recipe.with_({"data.events.user": "nobody"})), tmp_path, recipe=recipe)


def test_what_is_known_of_users_is_counted_and_written_where_the_model_reads_it(tmp_path):
    recipe = Recipe.read(shop.write_people(tmp_path, count=20))
    found = inspect(sections(recipe), tmp_path, recipe=recipe, out=tmp_path / "out")
    assert found.misfit is None
    assert found.counts["users with attributes"] == 20
    assert found.counts["attributes"] == {"age": "number", "plan": "category"}
    assert found.counts["attributes missing"] == {"age": 10, "plan": 10}
    assert open_corpus(tmp_path / "out").people is not None
    other = recipe.with_({"inputs.person.columns": ["shoe"]})
    assert "shoe" in str(inspect(sections(other), tmp_path, recipe=other).misfit)


def test_a_catalogue_that_the_model_reads_is_read(tmp_path):
    toml = shop.TOML.replace(
        "[encoder]", '[items]\nkind = "content"\nencoder = "hashed"\ntext_width = 8\n\n[encoder]'
    )
    recipe = Recipe.read(shop.write_files(tmp_path, toml))
    assert inspect(sections(recipe), tmp_path, recipe=recipe).misfit is None


def test_every_file_of_a_study_is_named_from_the_root(tmp_path):
    recipe = Recipe.read(shop.write_people(tmp_path))
    found = settled(recipe.with_({"ranker": {"kind": "blend"}}), tmp_path)
    assert found.ranker.kind == "none"  # it would be learned for every arm, and read by none
    data = found.data
    assert data.people is not None and data.people.path == tmp_path / "people.csv"
