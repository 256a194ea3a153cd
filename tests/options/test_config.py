import importlib.metadata
import math
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from intertask.errors import RecipeError
from intertask.options import config as config_module
from intertask.options.config import PluginConfig, config_class, kinds, parse, parse_plugin, read_toml
from intertask.recipe import Recipe
from tests import worlds

FOLDERS = (
    "balance",
    "communication",
    "datasets",
    "encoders",
    "inputs",
    "losses",
    "rankers",
    "sources",
    "tasks",
)
EVERY_KIND = [(folder, kind) for folder in FOLDERS for kind in kinds(folder)]
NEEDED = {  # what has no default
    ("tasks", "response"): {"behaviour": "buy"},
    ("datasets", "token_lines"): {"train": "lines.txt", "test": "lines.txt"},
}
PLACES = {
    "sources": lambda part: {"evaluation": {"baselines": {"one": part}}},
    "balance": lambda part: {"balance": part},
    "communication": lambda part: {"communication": part},
    "datasets": lambda part: {"data": {"dataset": part}, "tasks": {"next": "next_item"}},
    "encoders": lambda part: {"encoder": part},
    "inputs": lambda part: {"input": part},
    "rankers": lambda part: {"ranker": part},
    "losses": lambda part: {"tasks": {"next": {"kind": "next_item", "loss": part}}},
    "tasks": lambda part: {"tasks": {"one": part}},
}


def recipe(**sections):
    return parse(Recipe, sections, "recipe.toml")


def refusal(**sections):
    with pytest.raises(RecipeError) as caught:
        recipe(**sections)
    return str(caught.value)


@pytest.mark.parametrize(("folder", "kind"), EVERY_KIND)
def test_every_kind_is_written_and_read_back_equal(folder, kind):
    part = {"kind": kind, **NEEDED.get((folder, kind), {})}
    read = recipe(**PLACES[folder](part))
    again = Recipe.model_validate_json(read.model_dump_json())
    assert again == read
    assert again.model_dump_json() == read.model_dump_json()
    assert f'"kind":"{kind}"' in read.model_dump_json()


@pytest.mark.parametrize(("folder", "kind"), EVERY_KIND)
def test_every_kind_is_named_by_its_file(folder, kind):
    assert config_class(folder, kind, "test").model_fields["kind"].default == kind


@pytest.mark.parametrize(("folder", "kind"), [pair for pair in EVERY_KIND if pair not in NEEDED])
def test_a_kind_alone_is_a_section(folder, kind):
    assert parse_plugin(folder, kind, "test") == config_class(folder, kind, "test")()


def test_options_survive_the_round_trip():
    read = recipe(
        encoder={"kind": "hstu", "num_layers": 3, "time_bias": "query"},
        tasks={
            "buy": {"kind": "next_item", "behaviour": "buy", "loss": {"kind": "gbce", "num_negatives": 3}},
            "like": {"kind": "response", "label": "rating", "at_least": 4, "weight": 0.5},
        },
        split={"kind": "time", "train": 0.7},
    )
    again = Recipe.model_validate_json(read.model_dump_json())
    assert again == read
    assert again.encoder.num_layers == 3 and again.tasks["buy"].loss.num_negatives == 3
    assert list(again.tasks) == ["buy", "like"]


@pytest.mark.parametrize(
    ("sections", "place", "suggestion"),
    [
        ({"widht": 3}, "recipe.toml widht", "width"),
        ({"train": {"learning_rat": 1}}, "recipe.toml [train] learning_rat", "learning_rate"),
        ({"encoder": {"kind": "gru", "num_layer": 2}}, "recipe.toml [encoder] num_layer", "num_layers"),
        ({"split": {"kind": "time", "trian": 0.5}}, "recipe.toml [split] trian", "train"),
        ({"data": {"events": {"path": "x", "usr": "u"}}}, "recipe.toml [data.events] usr", "user"),
        (
            {"tasks": {"buy": {"kind": "next_item", "loss": {"kind": "gbce", "num_negative": 3}}}},
            "recipe.toml [tasks.buy.loss] num_negative",
            "num_negatives",
        ),
    ],
)
def test_an_unknown_key_is_refused_in_its_place_with_a_suggestion(sections, place, suggestion):
    message = refusal(**sections)
    assert message.startswith(f"{place}: expected one of ")
    assert message.endswith(f"did you mean {suggestion!r}?")


@pytest.mark.parametrize(
    ("sections", "place", "suggestion"),
    [
        ({"encoder": "gur"}, "[encoder]", "gru"),
        ({"encoder": {"kind": "Attention"}}, "[encoder]", "attention"),
        ({"balance": "entropie"}, "[balance]", "entropy"),
        ({"split": {"kind": "tme"}}, "[split]", "time"),
        ({"data": {"dataset": "movielens_100"}}, "[data.dataset]", "movielens_100k"),
        ({"tasks": {"buy": {"kind": "next_itme"}}}, "[tasks.buy]", "next_item"),
        (
            {"evaluation": {"baselines": {"p": {"kind": "popularty"}}}},
            "[evaluation.baselines.p]",
            "popularity",
        ),
    ],
)
def test_an_unknown_kind_is_refused_in_its_place_with_a_suggestion(sections, place, suggestion):
    message = refusal(**sections)
    assert message.startswith(f"recipe.toml {place} kind: expected one of ")
    assert message.endswith(f"did you mean {suggestion!r}?")


def test_a_word_that_is_like_nothing_gets_no_suggestion():
    assert "did you mean" not in refusal(encoder="qqqq")


@pytest.mark.parametrize("weight", [math.nan, math.inf, -1.0, 0.0])
def test_a_weight_must_be_a_positive_number(weight):
    message = refusal(tasks={"buy": {"kind": "next_item", "weight": weight}})
    assert message.startswith("recipe.toml [tasks.buy] weight: expected ")
    assert message.endswith(f"found {weight!r}")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_numbers_that_are_not_finite_are_refused_from_a_file_too(tmp_path, value):
    file = tmp_path / "recipe.toml"
    file.write_text(f"[train]\nlearning_rate = {value}\n")
    with pytest.raises(
        RecipeError, match=r"recipe\.toml \[train\] learning_rate: expected .* found -?(nan|inf)"
    ):
        Recipe.read(file)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"input": {"dropout": 0.4}},
            f"recipe.toml [input]: expected a table with kind = one of {', '.join(kinds('inputs'))}, "
            "found {'dropout': 0.4}; add a kind, e.g. kind",
        ),
        ({"encoder": 3}, "recipe.toml [encoder]: expected a table with kind = one of"),
        ({"tasks": {}}, "recipe.toml [tasks]: expected at least one table [tasks.NAME]"),
        ({"tasks": {"x": {}}}, "recipe.toml [tasks.x]: expected a table with kind"),
        ({"split": {}}, "recipe.toml [split]: expected a table with a kind"),
        ({"train": 3}, "recipe.toml [train]: expected a valid dictionary"),
        (
            {"data": {"events": {}}},
            "recipe.toml [data.events] path: expected a value, found nothing; add path =",
        ),
        (
            {"data": {"dataset": "synthetic", "events": {"path": "x"}}},
            "recipe.toml [data]: expected a dataset or",
        ),
        ({"evaluation": {"k": ["five"]}}, "recipe.toml [evaluation] k.0: expected a valid integer"),
    ],
)
def test_what_cannot_be_read_is_refused_in_its_place(sections, message):
    assert refusal(**sections).startswith(message)


@pytest.mark.parametrize("config", worlds.variants("encoders").values(), ids=worlds.variants("encoders"))
def test_sections_are_frozen(config):
    with pytest.raises(ValidationError, match="frozen"):
        config.dropout = 0.5


def test_a_recipe_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        recipe().width = 3


def test_a_part_of_another_folder_is_refused():
    with pytest.raises(RecipeError, match=r"\[encoder\]"):
        recipe(encoder=recipe().communication)


@pytest.mark.parametrize(
    ("text", "found"), [(None, "no such file"), ("width =", "Invalid value"), ("\udcff", "utf-8")]
)
def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path, text, found):
    file = tmp_path / "recipe.toml"
    if text is not None:
        file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(RecipeError, match=rf"recipe\.toml: .*{found}"):
        read_toml(file)


@pytest.fixture
def foreign_plugins(monkeypatch):
    """Two plugins from outside: one of a name of its own, one that takes the name of ours."""

    class Foreign(PluginConfig):
        kind: str = "mamba"

    entries = [
        SimpleNamespace(name=name, load=lambda: SimpleNamespace(Config=Foreign)) for name in ("mamba", "gru")
    ]

    def entry_points(group, name=None):
        return [entry for entry in entries if group == "intertask.encoders" and name in (None, entry.name)]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    config_module.kinds.cache_clear()
    yield Foreign
    config_module.kinds.cache_clear()


def test_a_plugin_from_outside_is_a_kind_like_others(foreign_plugins):
    assert kinds("encoders")[-1] == "mamba" and "mamba" not in kinds("tasks")
    assert config_class("encoders", "mamba", "test") is foreign_plugins


def test_a_plugin_from_outside_does_not_replace_one_of_ours(foreign_plugins):
    assert kinds("encoders").count("gru") == 1
    assert config_class("encoders", "gru", "test") is not foreign_plugins


def test_a_recipe_may_begin_with_the_mark_that_windows_writes(tmp_path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_bytes(b"\xef\xbb\xbfwidth = 8\r\n")
    assert read_toml(file) == {"width": 8}
