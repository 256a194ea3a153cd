import numpy as np
import pytest

from intertask.data.sequences import from_lists
from intertask.evaluate.choosing import Basis, thin_choice
from intertask.events.splits import LeaveOneOut
from intertask.events.validation import Validator
from intertask.fitting.experiment import refuse_unfit
from intertask.recipe import MAIN
from tests import shop, worlds

MANY, FEW = Basis(574), Basis(85)


@pytest.mark.parametrize(
    ("monitor", "bases", "words"),
    [
        ("next/ndcg@10", {"next": MANY}, None),
        ("next/ndcg@10", {"next": Basis(500)}, None),
        (
            "next/hr@10",
            {"next": Basis(499)},
            "Task next has 499 validation targets to choose the epoch by: below 500 ",
        ),
        (
            "next/hr@10",
            {"next": Basis(1)},
            "Task next has 1 validation target to choose the epoch by: below 500 ",
        ),
        ("next/ndcg@10", {"next": MANY, "buys": FEW}, None),
        (
            "buys/ndcg@10",
            {"next": MANY, "buys": FEW},
            "Task buys has 85 validation targets to choose the epoch by: below 500 ",
        ),
        ("all", {"next": MANY, "buys": FEW, "liked": Basis(86)}, None),
        ("all", {"buys": FEW, "liked": Basis(86)}, "Task liked has 86 validation targets"),
        ("all", {"next": MANY, "liked": Basis(574, 99)}, None),
        (
            "liked/auc",
            {"liked": Basis(574, 99)},
            "99 positives among 574 validation targets to choose the epoch by: below 100",
        ),
        (
            "liked/auc",
            {"liked": Basis(574, 1, "negative")},
            "1 negative among 574 validation targets to choose the epoch by: below 100 n",
        ),
        (
            "liked/auc",
            {"liked": Basis(50, 25)},
            "Task liked has 50 validation targets to choose the epoch by: below 500 ",
        ),
        ("liked/auc", {"next": FEW}, None),
    ],
)
def test_an_epoch_chosen_by_few_targets_is_named(monitor, bases, words):
    found = thin_choice(monitor, bases)
    assert (found is None) == (words is None)
    if found is not None:
        assert words in found.text


def test_a_task_with_more_targets_is_offered_where_there_is_one():
    found = thin_choice("buys/ndcg@10", {"buys": FEW, "next": MANY})
    assert "[train] monitor of task next, which has 574 validation targets" in found.advice
    assert "monitor" not in thin_choice("buys/ndcg@10", {"buys": FEW}).advice


def test_targets_count_as_far_as_the_metric_is_taken_from_them():
    random = np.random.default_rng(0)
    rows = random.integers(9, size=(60, 6)).tolist()
    kinds = random.integers(2, size=(60, 6)).tolist()
    liked = np.where(random.random((60, 6)) < 0.3, np.nan, random.random((60, 6)) < 0.8).tolist()
    sequences = from_lists(rows, 9, behaviours=kinds, labels={"liked": liked})
    last, before = [row[-2] for row in rows], [row[:-2] for row in rows]
    recipe = shop.recipe()
    asked = {
        history: Validator(sequences, LeaveOneOut().split(sequences), worlds.BEHAVIOURS, history, 10**6)
        for history in ("masked", "kept")
    }
    new = [item not in seen for item, seen in zip(last, before, strict=True)]
    bought = [row[-2] == worlds.BEHAVIOURS.index("buy") for row in kinds]
    labels = [row[-2] for row in liked if not np.isnan(row[-2])]
    masked, kept = asked["masked"].bases(recipe), asked["kept"].bases(recipe)
    assert (masked["next"], kept["next"]) == (Basis(sum(new)), Basis(60)) and 0 < sum(new) < 60
    assert masked["buys"] == Basis(sum(one and two for one, two in zip(new, bought, strict=True)))
    assert kept["buys"] == Basis(sum(bought))
    assert kept["liked"] == Basis(len(labels), labels.count(0.0), "negative")


@pytest.mark.parametrize(("limit", "words"), [(50_000, "30 validation targets"), (7, "7 validation targets")])
def test_it_is_known_before_training(limit, words):
    recipe = shop.recipe(
        train={"monitor": "next/ndcg@10", "validation_targets": limit}, evaluation={"history": ("kept",)}
    )
    (told,) = refuse_unfit(recipe, {MAIN: shop.corpus()})
    assert words in told


def test_a_large_log_is_not_spoken_of():
    rows = np.random.default_rng(0).integers(40, size=(600, 5)).tolist()
    recipe = shop.recipe(tasks={"next": {"kind": "next_item"}}, evaluation={"history": ("kept",)})
    assert refuse_unfit(recipe, {MAIN: worlds.corpus(from_lists(rows, 40), ("event",))}) == ()


def test_training_and_evaluation_say_it():
    model = shop.recommender()
    assert any(" to choose the epoch by: below 500 " in words for words in model.fitted.trained.advice)
    for part in ("validation", "test"):
        found = {finding.name: finding for finding in model.evaluate(part=part).findings}
        assert found["thin_choice"].severity == "note"
        assert found["thin_choice"].text in " ".join(model.fitted.trained.advice)
