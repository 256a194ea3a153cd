import numpy as np
import pytest
import torch

from intertask.events.evaluation import Evaluator
from intertask.events.ranking import rank_targets
from intertask.events.systems import ModelSystem
from intertask.events.tradeoff import WEIGHTS, Mixed
from intertask.metrics.ranking import ndcg
from tests import shop

TASKS = {
    "next": {"kind": "next_item"},
    "buys": {"kind": "next_item", "behaviour": "buy"},
    "views": {"kind": "next_item", "behaviour": "view"},
}


@pytest.fixture(scope="module")
def evaluator():
    from intertask import Recommender

    fitted = Recommender(shop.recipe(tasks=TASKS)).fit(shop.corpus()).fitted
    return Evaluator("shop", fitted.model, shop.corpus(), fitted.split, shop.recipe().evaluation, 1)


def test_both_ends_are_the_tasks_themselves(evaluator):
    found = evaluator.run()
    rows = found.tradeoffs
    assert [(row.first, row.second, row.history, row.weight) for row in rows] == [
        ("buys", "views", "masked", weight) for weight in WEIGHTS
    ]
    own = {
        row.task: row.metrics
        for row in found.rankings
        if (row.system, row.history, row.slice) == ("intertask", "masked", "all")
    }
    system = ModelSystem(evaluator.model, evaluator.sequences, evaluator.targets)
    for row, name in ((rows[-1], "buys"), (rows[0], "views")):
        asked = TASKS[name]["behaviour"]
        code = shop.corpus().behaviours.index(asked)
        targets = np.flatnonzero(
            (evaluator.sequences.behaviours[evaluator.targets] == code) & ~evaluator.seen
        )
        ranks = rank_targets(system, name, evaluator.sequences, evaluator.targets, targets, "masked", 5).ranks
        assert row.ndcg[name] == pytest.approx(ndcg(ranks, 10).mean())
        assert ndcg(ranks, 5).mean() == pytest.approx(own[name]["ndcg@5"])


def test_a_mixture_is_the_weighted_sum_of_calibrated_log_probabilities(evaluator):
    system = ModelSystem(evaluator.model, evaluator.sequences, evaluator.targets)
    rows = np.arange(4)
    found = Mixed(system, {"buys": 0.3, "views": 0.7}).score("anything", rows)
    one, two = (float(evaluator.model.task(name).calibration) for name in ("buys", "views"))
    expected = 0.3 * (system.score("buys", rows) / one).log_softmax(1)
    expected = expected + 0.7 * (system.score("views", rows) / two).log_softmax(1)
    torch.testing.assert_close(found, expected)


def test_one_behaviour_has_nothing_to_trade():
    fitted = shop.recommender().fitted
    asked = Evaluator("shop", fitted.model, shop.corpus(), fitted.split, shop.recipe().evaluation, 1)
    assert asked.run().tradeoffs == []
