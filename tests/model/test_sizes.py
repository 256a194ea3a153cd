"""Recipes that ask for more than a machine has: refused in one line, before anything of that size is made."""

import numpy as np
import pytest

from intertask import Recipe
from intertask.data.sequences import Sequences
from intertask.errors import IntertaskError, RecipeError
from intertask.events.trainable import build
from intertask.fitting.experiment import refuse_unfit
from intertask.model import sizes
from intertask.options.config import parse
from intertask.recipe import MAIN
from tests import shop


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("width = 100_000", "width: expected less than or equal to 8192, found 100000"),
        ("max_length = 1_000_000_000", "max_length: expected less than or equal to 65536"),
        ("seed = 1" + "0" * 400, "seed: expected a number of 64 bits at most, found one of 1,329 bits"),
        ("seed = 1" + "0" * 5000, "expected a TOML file, found Exceeds the limit"),
        ("seed = 9223372036854775808", "seed: expected a number of 64 bits at most"),
        ("width = true", "width: expected a number, found True"),
        ('width = "64"', "width: expected a number, found '64'"),
        ('[train]\nepochs = "5"', "[train] epochs: expected a number, found '5'"),
        ("[evaluation]\nk = [true]", "[evaluation.k] 0: expected a number, found True"),
        ("[evaluation]\ntradeoff = 1", "[evaluation] tradeoff: expected true or false, found 1"),
        (
            "[communication]\nkind = 'mmoe'\nnum_experts = 1_000_000",
            "num_experts: expected less than or equal to",
        ),
        (
            "[encoder]\nkind = 'gru'\nnum_layers = 10_000",
            "[encoder] num_layers: expected less than or equal to 64",
        ),
        ("[train]\nbatch_tokens = 1_000_000_000", "batch_tokens: expected less than or equal to 1048576"),
        ("[train]\nworkers = 100_000", "[train] workers: expected less than or equal to 64"),
        ("[evaluation]\nresamples = 1_000_000_000", "[evaluation] resamples: expected less than or equal to"),
        (
            "[data.dataset]\nkind = 'synthetic'\nusers = 10_000_000\nlength = 1_000",
            "users times length of at most",
        ),
        ("encoder = " + "[" * 500 + "]" * 500, "expected at most 20 tables or lists in each other"),
        (".".join("a" * 9_000) + " = 1", "expected names of a few parts, found one of more than 32 parts"),
        ("name = '" + "x" * 100_000 + "'", "name: expected at most 200 characters"),
        (
            "[tasks." + "x" * 10_000 + "]\nkind = 'next_item'",
            "[tasks]: expected names of at most 100 characters",
        ),
        (
            '[data.events]\npath = "a\\u0000b"',
            "[data.events] path: expected text, found text with a NUL character",
        ),
        ("#" * (1 << 19), "expected a file of at most 262,144 bytes, found 524,288 bytes"),
    ],
)
def test_a_number_out_of_bounds_is_refused_by_name(text, message, tmp_path):
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        Recipe.read(tmp_path / "mine.toml")
    line = str(caught.value)
    assert message in line
    assert "\n" not in line and len(line) < 1_300


def test_a_hundred_thousand_tasks_are_refused_in_one_line():
    tasks = {f"task{number}": {"kind": "next_item"} for number in range(100_000)}
    with pytest.raises(RecipeError, match=r"\[tasks\]: expected at most 64 tables .* found 100,000$"):
        parse(Recipe, {"tasks": tasks}, "recipe.toml")


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 8_192},
        {"width": 1_024, "encoder": {"kind": "attention", "num_layers": 64}},
        {"communication": {"kind": "mmoe", "num_experts": 1_024}, "width": 1_024},
        {"communication": {"kind": "ple", "num_levels": 16, "num_own": 256}, "width": 512},
        {"max_length": 65_536, "width": 4_096},
    ],
)
def test_sizes_within_bounds_whose_product_is_not_are_refused_before_they_are_built(changes, monkeypatch):
    monkeypatch.setattr("intertask.events.trainable.Model", None)
    with pytest.raises(
        RecipeError, match=r"the model: expected at most 100,000,000 weights .* found [\d,]{11,}"
    ):
        build(shop.recipe(**changes), shop.corpus(), 1)


def test_a_model_that_the_machine_cannot_hold_is_refused(monkeypatch):
    monkeypatch.setattr(sizes, "memory", lambda: 10_000)
    with pytest.raises(
        RecipeError, match="width: expected a model whose training fits into the 10,000 bytes"
    ):
        build(shop.recipe(), shop.corpus(), 1)


def test_a_batch_that_the_machine_cannot_hold_is_refused(monkeypatch):
    needed = 4 * 8 * 262 * 6 * 4  # numbers of the states of three tasks and the trunk, for all events
    monkeypatch.setattr("intertask.events.trainable.refuse_huge_model", lambda *_: None)
    monkeypatch.setattr(sizes, "memory", lambda: needed // 4)
    with pytest.raises(
        RecipeError, match=r"\[train\] batch_tokens: expected batches that fit into .* found about"
    ):
        refuse_unfit(shop.recipe(train={"batch_tokens": 1 << 20}), {MAIN: shop.corpus()})


def test_a_long_history_alone_does_not_make_a_large_batch():
    one = Sequences(
        np.array([0, 5000]), np.zeros(5000, np.int32), np.zeros(5000, np.uint8), None, 2, 1
    )  # a user with many events, of which a window reads a few
    sizes.refuse_huge_batch(shop.recipe(max_length=8), 4096, int(one.lengths.max()))


def test_a_message_is_never_longer_than_some_lines():
    error = IntertaskError("x" * 10**6, ", ".join(map(str, range(10**5))), "y" * 10**6, "z" * 10**6)
    assert len(str(error)) < 1_300
    assert str(error).startswith("xxx") and str(error).endswith("zzz")
    assert error.where == "x" * 10**6
