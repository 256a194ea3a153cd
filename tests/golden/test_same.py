"""The program that compares two commits sees what differs, and nothing where nothing does."""

import runpy
from pathlib import Path

import pytest

from tests.golden import world

ROOT = Path(__file__).parent.parent.parent
SAME = runpy.run_path(str(ROOT / "benchmarks" / "same.py"))


def test_a_source_trains_the_same_twice_and_another_recipe_differs():
    recipe = world.HERE / "next_gru.toml"
    first, again, longer = (SAME["trained"](ROOT, recipe, epochs) for epochs in (1, 1, 2))
    assert first == again
    assert len(first["losses"]) < len(longer["losses"])
    assert first["weights"] != longer["weights"]


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ({"losses": ["1", "3"], "weights": ["a"]}, "step 2"),
        ({"losses": ["1"], "weights": ["a"]}, "2 and 1 steps"),
        ({"losses": ["1", "2"], "weights": ["b"]}, "DIFFERENT weights"),
    ],
)
def test_it_says_where_two_trainings_part(right, said):
    assert said in SAME["difference"]({"losses": ["1", "2"], "weights": ["a"]}, right)


def test_the_epochs_of_a_recipe_are_replaced_or_added():
    assert SAME["with_epochs"]("[train]\nepochs = 9\nseed = 1", 2) == "[train]\nepochs = 2\nseed = 1\n"
    assert SAME["with_epochs"]("width = 8", 2) == "width = 8\n[train]\nepochs = 2\n"
