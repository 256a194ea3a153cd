from pathlib import Path

import pytest

from intertask import Recipe
from intertask.datasets.iris import Config as Iris
from intertask.errors import RecipeError
from intertask.recipe.data_section import refuse_mixed
from intertask.samples.splits import Folds, RowsSplit
from intertask.tasks.category import Config as Category

CATEGORY = {"a": {"kind": "category"}}


@pytest.mark.parametrize(
    "sections",
    [
        {"data": {"dataset": "iris"}, "tasks": CATEGORY},
        {"data": {"dataset": {"kind": "iris"}}, "tasks": CATEGORY},
        {"data": {"dataset": Iris()}, "tasks": CATEGORY},
        {"data": {"rows": {"path": "rows.csv"}}, "tasks": CATEGORY},
        {"tasks": CATEGORY},
        {"tasks": {"a": Category()}},
        {"tasks": {"a": "category"}},
    ],
)
def test_a_recipe_of_rows_reads_and_splits_rows_without_saying_so(sections: dict[str, object]) -> None:
    recipe = Recipe.model_validate(sections)
    assert recipe.reads_rows and recipe.input.kind == "table" and isinstance(recipe.split, RowsSplit)
    other = Recipe.model_validate({**sections, "split": {"kind": "folds"}})
    assert isinstance(other.split, Folds)


def test_a_recipe_of_a_log_is_as_it_was() -> None:
    recipe = Recipe()
    assert (recipe.reads_rows, recipe.input.kind, recipe.split.kind) == (False, "events", "leave_one_out")


def test_a_stream_may_be_of_rows_beside_a_log() -> None:
    recipe = Recipe.model_validate({"streams": {"table": {"data": {"dataset": "iris"}, "tasks": CATEGORY}}})
    assert not recipe.reads_rows and recipe.views()["table"].reads_rows


def test_a_known_set_of_rows_brings_its_usual_tasks() -> None:
    recipe = Recipe.model_validate({"data": {"dataset": "diabetes"}})
    assert {name: task.kind for name, task in recipe.tasks.items()} == {"progression": "regression"}
    refuse_mixed(recipe)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"data": {"rows": {"path": "a.csv"}}},
            "a task of rows of a table: category, .*regression",
        ),
        ({"data": {"dataset": "synthetic"}, "tasks": CATEGORY}, "a task of a log: next_behaviour, next_item"),
        ({"tasks": {**CATEGORY, "b": "next_item"}}, ".tasks.b.: expected a task of rows of a table"),
        (
            {"data": {"dataset": "iris"}, "split": {"kind": "time"}},
            "a split of rows of a table: official.*'time'",
        ),
        ({"split": {"kind": "rows"}}, "a split of a log: leave_one_out, time, users, found 'rows'"),
        ({"input": "table"}, "an input of a log, found 'table'"),
        ({"data": {"dataset": "iris"}, "input": "events"}, "an input of rows of a table, found 'events'"),
    ],
)
def test_sections_of_both_kinds_of_data_are_refused_in_one_line(
    sections: dict[str, object], message: str
) -> None:
    recipe = Recipe._parsed(sections, Path("x.toml"), "x.toml")
    with pytest.raises(RecipeError, match=message) as caught:
        refuse_mixed(recipe)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"dataset": "iris", "rows": {"path": "a.csv"}}, "a dataset or a rows table, found both"),
        ({"rows": {"path": "a"}, "catalogue": {"path": "b"}}, "a catalogue of the items of a log"),
        ({"dataset": "iris", "users": 5}, "users of a dataset or of an events table"),
    ],
)
def test_data_of_both_kinds_are_refused(data: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Recipe._parsed({"data": data, "tasks": CATEGORY}, Path("x.toml"), "x.toml")
