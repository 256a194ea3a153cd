"""20,000 events of MovieLens-100K, as a shop has them after some weeks; needs INTERTASK_DATA."""

import os

import pytest

from intertask.recipe import Recipe
from intertask.runs import run as runs

pytestmark = pytest.mark.skipif(
    not os.environ.get("INTERTASK_DATA"), reason="INTERTASK_DATA is not set: no real data here"
)
RECIPE = {
    "width": 64,
    "max_length": 50,
    "data": {"dataset": "movielens_100k", "users": 190},
    "encoder": {"kind": "attention"},
}
TRANSITION = 0.0323  # NDCG@10 on the same validation targets


def best(folder, epochs, loss="full_softmax", **options):
    """Validation NDCG@10 of the best epoch, and what is advised after it."""
    task = {"kind": "next_item", "loss": {"kind": loss}}
    recipe = Recipe.model_validate(RECIPE | {"tasks": {"next": task}, "train": {"epochs": epochs} | options})
    folder.mkdir()
    file = folder / "recipe.json"
    file.write_text(recipe.to_json(), encoding="utf-8")
    trained = runs.train(file, folder / "run").trained
    return trained.best_metric, " ".join(trained.advice)


def test_three_epochs_are_not_over_before_the_rate_has_risen(tmp_path):
    found, advice = best(tmp_path / "share", 3)
    cold, cold_advice = best(tmp_path / "steps", 3, warmup_steps=200)
    assert found > 2 * max(cold, TRANSITION)
    assert "warm-up" in cold_advice and "warm-up" not in advice


def test_gbce_with_64_negatives_learns_more_than_what_is_popular(tmp_path):
    assert best(tmp_path / "gbce", 8, loss="gbce")[0] > 2 * TRANSITION
