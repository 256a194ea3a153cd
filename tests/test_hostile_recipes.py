"""Recipes that were changed at random, and nonsense: refused in a line, or of a model that can be built."""

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from intertask import Recipe
from intertask.errors import RecipeError
from intertask.events.trainable import build
from intertask.model import refuse_misfits
from intertask.options.config import config_class, kinds
from intertask.recipe import MAIN
from tests import hostile, shop
from tests.fuzzing import fuzz

RECIPES = sorted((Path(__file__).parents[1] / "recipes").glob("*.toml"))
NUMBERS = (
    "-1",
    "0",
    "1",
    "2",
    "3",
    "7",
    "8",
    "64",
    "1000",
    "10_000",
    "100_000",
    "1_000_000",
    "1_000_000_000",
    "9223372036854775807",
    "9223372036854775808",
    "1" + "0" * 400,
    "1" + "0" * 5000,
    "nan",
    "inf",
    "-inf",
    "1e308",
    "0.5",
    "-0.0",
    "1e-300",
    "true",
)
OTHERS = (
    '""',
    '"x"',
    '"gru"',
    '"8"',
    '"' + "x" * 100_000 + '"',
    '"\\u0000"',
    '"\\u001b[31m"',
    "[]",
    "{}",
    "[[]]",
    '{kind = "gru"}',
    "[1, 2]",
    '["a", "a"]',
    "1979-05-27",
    "[" * 300 + "]" * 300,
    "{a=" * 50 + "1" + "}" * 50,
    "[" + "1," * 20_000 + "]",
    '"/dev/zero"',
    '"../.."',
)
PLACES = {
    "encoders": "encoder",
    "communication": "communication",
    "balance": "balance",
    "inputs": "input",
    "tasks": "tasks.next",
    "losses": "tasks.next.loss",
    "sources": "evaluation.baselines.b",
    "items": "items",
    "rankers": "ranker",
    "datasets": "data.dataset",
}


def try_recipe(random: np.random.Generator) -> None:
    """Write a recipe, read it, and build its model for a small shop."""
    with tempfile.TemporaryDirectory(prefix="r") as place:
        file = Path(place) / "recipe.toml"
        makers = (changed_line, several_options, generated, odd_bytes, as_json)
        content = makers[random.choice(5, p=[0.3, 0.35, 0.2, 0.05, 0.1])](random)
        if content[:1] == b"{" and random.random() < 0.9:
            file = file.with_suffix(".json")
        file.write_bytes(content)
        recipe = Recipe.read(file)
    for name, view in recipe.views().items():
        refuse_misfits(view)
        build(view, shop.corpus(), view.seed, np.ones(shop.NUM_ITEMS, np.int64), name)
    assert MAIN in recipe.views()
    assert Recipe.model_validate_json(recipe.to_json()) == recipe


def value(random: np.random.Generator) -> str:
    """Something that may stand behind an equals sign."""
    several = NUMBERS if random.random() < 0.7 else OTHERS
    return several[random.integers(len(several))]


def changed_line(random: np.random.Generator) -> bytes:
    """A published recipe with some lines changed, dropped, repeated or moved."""
    lines = RECIPES[random.integers(len(RECIPES))].read_text(encoding="utf-8").splitlines()
    for _ in range(random.integers(1, 4)):
        place = int(random.integers(len(lines)))
        key, equals, _ = lines[place].partition("=")
        match random.integers(5):
            case 0:
                del lines[place]
                lines = lines or [""]
            case 1:
                lines.insert(int(random.integers(len(lines))), lines[place])
            case 2:
                lines[place] = lines[place].replace("o", "0", 1)
            case _ if equals:
                lines[place] = f"{key}= {value(random)}"
    return "\n".join(lines).encode()


def several_options(random: np.random.Generator) -> bytes:
    """Parts of any kind, with options that are large, small or odd: the products of sizes count."""
    lines, heads = [], []
    for option in ("width", "max_length", "seed", "name"):
        if random.random() < 0.4:
            heads.append(f"{option} = {value(random)}")
    for folder, place in PLACES.items():
        if random.random() < 0.5:
            continue
        kind = str(random.choice(kinds(folder)))
        if folder == "losses":
            lines += ["[tasks.next]", 'kind = "next_item"'] if "[tasks.next]" not in lines else []
        lines += [f"[{place}]", f'kind = "{kind}"']
        options = [name for name in config_class(folder, kind, "test").model_fields if name != "kind"]
        for name in options:
            if random.random() < 0.4:
                lines.append(f"{name} = {value(random)}")
    for section in ("train", "evaluation", "split"):
        if random.random() < 0.3:
            name = str(
                random.choice(["epochs", "batch_tokens", "workers", "k", "resamples", "kind", "train", "x"])
            )
            lines += [f"[{section}]", f"{name} = {value(random)}"]
    return "\n".join([*heads, *lines]).encode()


def generated(random: np.random.Generator) -> bytes:
    """Very many of something."""
    number = int(random.choice([65, 1_000, 9_000]))
    match random.integers(8):
        case 0:
            text = "\n".join(f'[tasks.t{place}]\nkind = "next_item"' for place in range(number))
        case 1:
            text = f'[tasks.{"t" * number}]\nkind = "next_item"'
        case 2:
            text = ".".join("a" * number) + " = 1"
        case 3:
            text = f"[{'.'.join('a' * number)}]"
        case 4:
            text = "encoder = " + "[" * number + "]" * number
        case 5:
            text = "\n".join(
                f"[evaluation.baselines.b{place}]\nkind = 'popularity'" for place in range(number)
            )
        case 6:
            text = "\n".join(
                f'[streams.s{place}]\ndata = {{dataset = "jdata"}}\n[streams.s{place}.tasks.t{place}]\n'
                'kind = "next_item"'
                for place in range(number // 10)
            )
        case _:
            text = "evaluation.k = [" + "1, " * number + "]"
    return text.encode()


def odd_bytes(random: np.random.Generator) -> bytes:
    """Bytes that are no text, or a file too large for a recipe."""
    if random.random() < 0.5:
        return random.bytes(int(random.integers(1, 1_000)))
    return b"#" * int(random.choice([1 << 18, 1 << 19, 1 << 25])) + b"\nwidth = 8"


def as_json(random: np.random.Generator) -> bytes:
    """A complete recipe in JSON, harmed."""
    with tempfile.TemporaryDirectory(prefix="j") as place:
        file = Path(place) / "recipe.json"
        table = tomllib.loads(RECIPES[random.integers(len(RECIPES))].read_text(encoding="utf-8"))
        assert isinstance(table, Mapping)
        file.write_text(json.dumps(table, default=str), encoding="utf-8")
        hostile.harm_json(file, random)
        return file.read_bytes()


def test_a_changed_recipe_is_refused_or_can_be_built():
    shop.corpus()
    fuzz(try_recipe, inputs=400, allowed=RecipeError)


def test_a_place_that_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "pipe.json").symlink_to("pipe.toml")
    (tmp_path / "device.toml").symlink_to("/dev/zero")
    for name, found in (("pipe.toml", "a pipe"), ("pipe.json", "a pipe"), ("device.toml", "a device")):
        with pytest.raises(RecipeError, match=found):
            Recipe.read(tmp_path / name)
    with pytest.raises(RecipeError, match="null byte"):
        Recipe.read(tmp_path / "a\0b.toml")
