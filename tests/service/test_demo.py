"""The shop of `serve --demo`: the same for everybody, with people who like what their kind likes."""

import polars as pl
import pytest

from intertask.errors import IntertaskError
from intertask.recipe import Recipe
from intertask.service import demo
from intertask.service.demo import _events, _items, _people


def test_what_people_like_depends_on_what_is_known_of_them():
    items, people = _items(), _people()
    events = _events(items, people)
    assert events.equals(_events(items, people)) and people.equals(_people())
    shares = (
        events.join(people, on="user")
        .join(items, on="item")
        .group_by("home")
        .agg(garden=(pl.col("kind") == "garden").mean(), toys=(pl.col("kind") == "toys").mean())
    )
    first = {key: shares.sort(key, descending=True)["home"][0] for key in ("garden", "toys")}
    assert first == {"garden": "house with garden", "toys": "family home"}


def test_its_recipe_can_be_read(tmp_path):
    file = tmp_path / "recipe.toml"
    file.write_text(demo.RECIPE)
    recipe = Recipe.read(file)
    assert set(recipe.tasks) == {"next", "buy"} and set(recipe.inputs) == {"person"}


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(IntertaskError, match="a new folder for the shop"):
        demo.demo(tmp_path, print)
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]
