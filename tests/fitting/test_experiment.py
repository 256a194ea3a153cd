import numpy as np
import pytest

from intertask import Recipe
from intertask.balance.entropy import Config as Entropy
from intertask.fitting import experiment
from tests import shop


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_a_task_counts_by_its_number_of_labels_as_far_as_the_balance_says(power, tmp_path, monkeypatch):
    found = {}

    def build(self, weights, constant_losses, whole=Entropy.build):
        found.update(weights)
        return whole(self, weights, constant_losses)

    monkeypatch.setattr(Entropy, "build", build)
    tasks = {
        "next": {"kind": "next_item"},
        "buys": {"kind": "next_item", "behaviour": "buy", "weight": 3.0},
        "kind": {"kind": "next_behaviour"},
    }
    told = {"width": 8, "tasks": tasks, "balance": {"kind": "entropy", "labels": power}}
    recipe = Recipe.model_validate(told | {"train": {"epochs": 1, "workers": 0}})
    corpus = shop.corpus()
    experiment.fit(recipe, corpus, tmp_path)
    trained = recipe.split.split(corpus.sequences).training(corpus.sequences)
    follows = np.ones(trained.num_events, dtype=bool)
    follows[trained.offsets[:-1][trained.lengths > 0]] = False  # a first event is not asked for
    share = (trained.behaviours[follows] == corpus.behaviours.index("buy")).mean()
    assert 0 < share < 1
    assert found == pytest.approx({"next": 1.0, "buys": 3.0 * share**power, "kind": 1.0})
