"""What a log holds, and whether a recipe fits it, without the command line."""

import pytest

from intertask.errors import DataError, RecipeError
from intertask.recipe import Recipe
from intertask.runs.inspection import inspect
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
