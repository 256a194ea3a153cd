import json
from pathlib import Path

import pytest

from intertask.errors import RecipeError
from intertask.options.config import parse
from intertask.recipe import Recipe
from intertask.recipe.data_section import refuse_mixed
from tests import shop

EVENTS = {"kind": "events", "max_length": 7}
RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))


def read(tmp_path, text):
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return Recipe.read(file)


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_every_recipe_of_the_project_can_be_read(file):
    recipe = Recipe.read(file)
    assert recipe.data.dataset is not None or recipe.data.events is not None
    assert recipe.name != "unnamed"


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_a_recipe_survives_its_own_json(file, tmp_path):
    recipe = Recipe.read(file)
    (tmp_path / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    assert Recipe.read(tmp_path / "recipe.json") == recipe


def test_the_json_is_complete(tmp_path):
    table = json.loads(shop.recipe().to_json())
    assert table["train"]["learning_rate"] == shop.recipe().train.learning_rate
    assert table["encoder"]["kind"] == "gru"
    assert table["tasks"]["next"]["loss"]["kind"] == "full_softmax"
    assert table["split"] == {"kind": "leave_one_out", "set_aside": 0}


def test_an_empty_recipe_is_all_defaults_and_named_after_its_file(tmp_path):
    recipe = read(tmp_path, "")
    assert recipe == Recipe(name="mine")
    assert list(recipe.tasks) == ["next"]
    assert set(recipe.evaluation.baselines) == {
        "popularity",
        "recent_popularity",
        "item_knn",
        "ease",
        "als",
        "transition",
    }


def test_a_plugin_may_be_named_by_its_kind_alone(tmp_path):
    short = read(tmp_path, 'encoder = "gru"\nbalance = "equal"\ntasks = {next = "next_item"}')
    long = read(
        tmp_path, '[encoder]\nkind = "gru"\n[balance]\nkind = "equal"\n[tasks.next]\nkind = "next_item"'
    )
    assert short == long


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "widht = 8",
            "mine.toml widht: expected one of .*, found the unknown key 'widht'; did you mean 'width'?",
        ),
        ("[train]\nepoch = 2", "mine.toml [train] epoch: expected one of .*; did you mean 'epochs'?"),
        (
            "[tasks.x]\nkind = 'next_itm'",
            "mine.toml [tasks.x] kind: .*found 'next_itm'; did you mean 'next_item'?",
        ),
        ("[tasks.x]\nbehaviour = 'buy'", "mine.toml [tasks.x]: expected a table with kind = one of"),
        ("[tasks.x]\nkind = 'response'", "mine.toml [tasks.x].*expected exactly one of behaviour and label"),
        (
            "[tasks.x]\nkind = 'next_item'\nweight = 0",
            "mine.toml [tasks.x] weight: expected greater than 0, found 0",
        ),
        (
            "[tasks.x]\nkind = 'next_item'\nloss = {kind = 'gbc'}",
            "mine.toml [tasks.x.loss] kind: .*found 'gbc'; did you mean 'gbce'?",
        ),
        ("[tasks]", "mine.toml [tasks]: expected at least one table"),
        (
            "[tasks.'a.b']\nkind = 'next_item'",
            "mine.toml tasks: expected names of letters, digits, _ and -, found 'a.b'",
        ),
        (
            "[tasks.items]\nkind = 'next_item'",
            "mine.toml tasks: expected a name that PyTorch does not need .* items_, found 'items'",
        ),
        (
            "[streams.train]\ndata = {dataset = 'jdata'}\n[streams.train.tasks.x]\nkind = 'next_item'",
            "mine.toml [streams]: expected a name that PyTorch .* found 'train'",
        ),
        (
            "[streams.shop]\ndata = {dataset = 'jdata'}\n[streams.shop.tasks.pop]\nkind = 'next_item'",
            "mine.toml [streams.shop] tasks: expected a name that PyTorch .* found 'pop'",
        ),
        ("exchange = ['next']", "mine.toml exchange: .*found the unknown key 'exchange'"),
        ("tasks = 3", "mine.toml [tasks]: expected at least one table"),
        ("encoder = 3", "mine.toml [encoder]: expected a table with kind = one of"),
        (
            "[encoder]\nkind = 'gru'\ndropout = nan",
            "mine.toml [encoder] dropout: expected a finite number, found nan",
        ),
        ("[split]\nkind = 'tim'", "mine.toml [split] kind: .*found 'tim'; did you mean 'time'?"),
        ("[split]\nkind = 'time'\ntrain = 1.5", "mine.toml [split] train: expected less than 1, found 1.5"),
        ("[data]\ndataset = 'jdta'", "mine.toml [data.dataset] kind: .*found 'jdta'; did you mean 'jdata'?"),
        (
            "[data.events]\nuser = 'u'",
            "mine.toml [data.events] path: expected a value, found nothing; add path = ...",
        ),
        (
            "[data]\ndataset = 'jdata'\nevents = {path = 'x'}",
            "mine.toml [data]: expected a dataset or an events table, found both",
        ),
        (
            "[data.events]\npath = 'x'\nlabels = 'stars'",
            'mine.toml [data.events] labels: expected a list, as ["..."]',
        ),
        ("seed = -1", "mine.toml seed: expected greater than or equal to 0, found -1"),
        (
            "[evaluation]\nhistory = ['hidden']",
            "mine.toml [evaluation] history.*: expected 'masked' or 'kept'",
        ),
        (
            "[evaluation]\nhistory = ['kept', 'kept']",
            "mine.toml [evaluation] history: expected each of 'masked' and 'kept' once at most, found",
        ),
        (
            "[evaluation]\nresamples = 1",
            "mine.toml [evaluation] resamples: expected greater than or equal to 100",
        ),
        ("width = ", "mine.toml: expected a TOML file, found Invalid value (at end of document)"),
        ("seed = 1\nseed = 2", "mine.toml: expected a TOML file, found Cannot overwrite a value"),
        ('[tasks."it\'s"]\n[tasks."it\'s"]', "found [tasks.it's] twice"),
        (
            "[tasks.a]\n[tasks.a]",
            "mine.toml, line 2: expected each name once, found [tasks.a] twice; rename one of the two",
        ),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text, message, tmp_path):
    with pytest.raises(RecipeError) as caught:
        read(tmp_path, text)
    line = str(caught.value)
    assert "\n" not in line
    place = 0
    for piece in message.split(".*"):  # the rest is literal: brackets, full stops
        assert piece in line[place:], (piece, line)
        place = line.index(piece, place) + len(piece)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "latin.toml").write_bytes("name = 'Käse'".encode("latin-1"))
    for file, found in (
        ("none.toml", "no such file"),
        ("latin.toml", "'utf-8' codec"),
        (".", "a folder"),
    ):
        with pytest.raises(RecipeError, match=f"expected .*found .*{found}"):
            Recipe.read(tmp_path / file)
    (tmp_path / "recipe.json").write_text("{")
    for file in ("recipe.json", "none.json"):
        with pytest.raises(RecipeError, match=f"{file}: expected a recipe in JSON"):
            Recipe.read(tmp_path / file)


def test_a_recipe_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        shop.recipe().seed = 3


@pytest.mark.parametrize("name", ["user", "history", "item"])
def test_a_response_cannot_take_the_name_of_a_column_beside_its_answers(name):
    with pytest.raises(RecipeError, match=rf"other names than user, history, item, .* '{name}'"):
        Recipe().with_(tasks={name: {"kind": "response", "label": "liked"}})
    assert name in Recipe().with_(tasks={name: {"kind": "next_item"}}).tasks


def test_the_length_of_a_history_may_stand_in_the_input_or_above_it():
    above, inside = (Recipe.model_validate(told) for told in ({"max_length": 7}, {"input": EVENTS}))
    assert above.max_length == inside.max_length == 7
    assert Recipe.model_validate_json(inside.to_json()) == inside
    assert inside.with_(width=8).max_length == 7
    stream = {"data": {"dataset": "movielens_100k"}, "input": EVENTS, "tasks": {"a": "next_item"}}
    assert Recipe.model_validate({"streams": {"other": stream}}).views()["other"].max_length == 7


def test_two_lengths_of_a_history_are_refused():
    with pytest.raises(RecipeError, match=r"one max_length, found 9 beside 7 of \[input\]"):
        parse(Recipe, {"max_length": 9, "input": EVENTS}, "recipe.toml")


@pytest.mark.parametrize("name", ["items", "a.b"])
def test_an_input_has_a_name_that_a_weight_can_have(name):
    with pytest.raises(RecipeError, match=r"recipe.toml inputs: expected .*name"):
        parse(Recipe, {"inputs": {name: "events"}}, "recipe.toml")


def test_a_log_has_one_input_of_events():
    recipe = parse(Recipe, {"inputs": {"one": "events", "two": "events"}}, "recipe.toml")
    with pytest.raises(RecipeError, match=r"\[inputs.one\] kind: expected one that reads what is known"):
        refuse_mixed(recipe)


def test_beside_the_events_of_a_log_stands_what_is_known_of_users():
    alone = parse(Recipe, {"inputs": {"person": "table"}}, "recipe.toml")
    named = parse(Recipe, {"inputs": {"history": "events", "person": "table"}}, "recipe.toml")
    assert list(alone.named_inputs) == ["person", "input"]
    assert list(named.named_inputs) == ["person", "history"]  # events stand last, whose places are asked
    assert alone.encoder == Recipe().encoder
    for recipe in (alone, named):
        refuse_mixed(recipe)
        assert list(recipe.inputs_of_people) == ["person"]


def test_one_input_beside_several_is_refused():
    with pytest.raises(RecipeError, match=r"\[input\] or \[inputs.NAME\], found \[input\] beside one"):
        parse(
            Recipe,
            {"input": "table", "inputs": {"one": "table"}, "tasks": {"a": "regression"}},
            "recipe.toml",
        )
    several = parse(Recipe, {"inputs": {"one": "table"}, "tasks": {"a": "regression"}}, "recipe.toml")
    assert Recipe.model_validate_json(several.to_json()) == several
