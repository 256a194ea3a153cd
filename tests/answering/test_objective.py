import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from intertask import Recommender
from intertask.errors import RequestError
from tests import shop

USERS = [shop.user_id(number) for number in range(8)]
WEIGHT = "objective 'next': expected a weight of zero, or of 1e-06 to 1,000,000 above or below it, found"
ITEMS = [shop.item_id(number) for number in range(shop.NUM_ITEMS)]


@pytest.fixture(scope="module")
def model():
    return shop.recommender()


def ranked(model, **request_):
    """Score of each user and item."""
    found = model.recommend(users=USERS, k=shop.NUM_ITEMS, exclude_seen=False, **request_)
    return {(user, item): score for user, item, score in found.select("user", "item", "score").iter_rows()}


def log_shares(model, task):
    """What a task alone thinks, as calibrated log-probabilities."""
    temperature, found = float(model.model.task(task).calibration), {}
    raw = ranked(model, task=task)
    for user in USERS:
        scores = np.array([raw[user, item] for item in ITEMS]) / temperature
        for item, value in zip(ITEMS, scores - np.logaddexp.reduce(scores), strict=True):
            found[user, item] = value
    return found


def log_yes(model):
    frame = model.predict(users=USERS, items=ITEMS, task="liked")
    values = np.log(frame["liked"].to_numpy()).tolist()
    return dict(zip(frame.select("user", "item").iter_rows(), values, strict=True))


def test_every_task_that_has_a_probability_is_calibrated(model):
    found = [float(model.model.task(name).calibration) for name in ("next", "buys", "liked")]
    assert all(0.2 < value < 5 for value in found) and set(found) != {1.0}


def test_the_score_is_the_weighted_sum_of_calibrated_log_probabilities(model):
    found = ranked(model, objective={"next": 0.5, "buys": 2.0, "liked": 0.3})
    one, two, three = log_shares(model, "next"), log_shares(model, "buys"), log_yes(model)
    for key, score in found.items():
        assert score == pytest.approx(0.5 * one[key] + 2.0 * two[key] + 0.3 * three[key], abs=1e-4)


def test_one_task_alone_ranks_as_it_does_without_an_objective(model):
    for task in ("next", "buys"):
        alone = model.recommend(users=USERS, task=task, k=5)
        mixed = model.recommend(users=USERS, objective={task: 3.0, "liked": 0}, k=5)
        assert alone.select("user", "rank", "item").equals(mixed.select("user", "rank", "item"))


def test_a_response_task_alone_decides_among_what_the_others_find(model):
    found, expected = ranked(model, objective={"liked": 1.0}), log_yes(model)
    assert found == pytest.approx(expected, abs=1e-4)


def test_only_the_best_candidates_are_judged(model, monkeypatch):
    monkeypatch.setattr("intertask.answering.objective.CANDIDATES", 4)
    best = model.recommend(users=USERS, task="next", k=4, exclude_seen=False)
    pairs = set(best.select("user", "item").iter_rows())
    found = model.recommend(users=USERS, objective={"next": 0.1, "liked": 9.0}, k=3, exclude_seen=False)
    assert set(found.select("user", "item").iter_rows()) < pairs
    longer = model.recommend(users=USERS, objective={"next": 1.0, "liked": 1.0}, k=6, exclude_seen=False)
    assert longer.height == 6 * len(USERS)  # a longer list has as many candidates


def test_rules_hold_for_an_objective_too(model):
    rules = {"allow": ITEMS[:6], "deny": ITEMS[5:]}
    found = model.recommend(users=USERS, objective={"next": 1, "liked": 1}, k=10, **rules)
    assert set(found["item"]) <= set(ITEMS[:5])
    seen = {(user, item) for user in USERS for item in model.history(user)["item"]}
    assert not seen & set(found.select("user", "item").iter_rows())


def test_somebody_without_a_history_is_answered_by_shares_of_the_training_events(model):
    people = {"histories": [[], [(ITEMS[0], "view")]], "k": shop.NUM_ITEMS, "exclude_seen": False}
    found = model.recommend(objective={"next": 1.0, "buys": 1.0, "liked": 1.0}, **people)
    nobody = found.filter(pl.col("history") == 0)
    counts = {
        task: dict(
            model.recommend(task=task, **people)
            .filter(pl.col("history") == 0)
            .select("item", "score")
            .iter_rows()
        )
        for task in ("next", "buys")
    }
    totals = {task: sum(own.values()) + shop.NUM_ITEMS for task, own in counts.items()}
    for item, score in nobody.select("item", "score").iter_rows():
        expected = sum(math.log((counts[task][item] + 1) / totals[task]) for task in counts)
        assert score == pytest.approx(expected, abs=1e-4)
    assert found.filter(pl.col("history") == 1)["score"].is_finite().all()


def test_calibrations_are_saved_with_the_model(model, tmp_path):
    model.save(tmp_path / "model")
    mix = {"next": 1.0, "liked": 0.5}
    loaded = Recommender.load(tmp_path / "model")
    assert ranked(loaded, objective=mix) == ranked(model, objective=mix)


def test_a_value_counts_by_how_far_it_lies_above_the_other_candidates():
    recipe = shop.recipe(
        tasks={
            "next": {"kind": "next_item"},
            "stars": {"kind": "response", "label": "liked", "form": "regression"},
        }
    )
    model = Recommender(recipe).fit(shop.corpus(), shop.catalogue())
    found = ranked(model, objective={"stars": 1.0})
    values = model.predict(users=USERS, items=ITEMS, task="stars")
    for (user,), own in values.group_by("user"):
        stars = own["stars"].to_numpy()
        expected = (stars - stars.mean()) / stars.std()
        assert [found[user, item] for item in own["item"]] == pytest.approx(expected.tolist(), abs=1e-3)


def test_weights_are_numbers_of_any_kind(model):
    for weights in ({"next": 0.5, "liked": 2.0}, {"next": 1, "buys": 3}):
        expected = ranked(model, objective=weights)
        for kind in (np.float64, np.float32, Fraction):
            assert (
                ranked(model, objective={name: kind(weight) for name, weight in weights.items()}) == expected
            )


def test_a_weight_below_zero_demotes_what_will_get_a_yes(model):
    """The score is the log-probability of the wanted task and of no to the unwanted one."""
    found = ranked(model, objective={"next": 1.0, "liked": -2.0})
    wanted, yes = log_shares(model, "next"), log_yes(model)
    for key, score in found.items():
        assert score == pytest.approx(wanted[key] + 2 * math.log1p(-math.exp(yes[key])), abs=1e-4)
    alike = [
        model.recommend(users=USERS, k=5, objective={"next": 1.0, "liked": w})["item"] for w in (0, -1e-6)
    ]
    assert alike[0].equals(alike[1])


def test_a_ranking_task_below_zero_reorders_what_the_others_find(model, monkeypatch):
    found = ranked(model, objective={"buys": 1.0, "next": -0.5})
    wanted, unwanted = log_shares(model, "buys"), log_shares(model, "next")
    for key, score in found.items():
        assert score == pytest.approx(wanted[key] - 0.5 * unwanted[key], abs=1e-4)
    monkeypatch.setattr("intertask.answering.objective.CANDIDATES", 4)
    best = model.recommend(users=USERS, task="buys", k=4, exclude_seen=False)
    demoted = model.recommend(users=USERS, objective={"buys": 1.0, "next": -9.0}, k=4, exclude_seen=False)
    pairs = [set(frame.select("user", "item").iter_rows()) for frame in (best, demoted)]
    assert pairs[0] == pairs[1] and not best["item"].equals(demoted["item"])


def test_candidates_are_not_found_by_a_task_that_demotes(model, monkeypatch):
    monkeypatch.setattr("intertask.answering.objective.CANDIDATES", 4)
    best = model.recommend(users=USERS, task="next", k=4, exclude_seen=False)
    found = model.recommend(users=USERS, objective={"liked": 1.0, "next": -0.5}, k=4, exclude_seen=False)
    pairs = [set(frame.select("user", "item").iter_rows()) for frame in (best, found)]
    assert pairs[0] == pairs[1]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"objective": {"bye": 1.0}},
            "objective: expected tasks that know items: next, buys, liked, found 'bye'",
        ),
        (
            {"objective": {"next": -1.0}},
            "objective: expected a task with a weight above zero, found {'next': -1.0}",
        ),
        (
            {"objective": {"next": float("nan")}},
            f"{WEIGHT} nan",
        ),
        (
            {"objective": {"next": float("inf")}},
            f"{WEIGHT} inf",
        ),
        (
            {"objective": {"next": "much"}},
            f"{WEIGHT} 'much'",
        ),
        (
            {"objective": {"next": 0}},
            "objective: expected a task with a weight above zero, found {'next': 0}",
        ),
        ({"objective": {"next": 1e38}}, f"{WEIGHT} 1e+38"),
        ({"objective": {"next": 1e-38}}, f"{WEIGHT} 1e-38"),
        ({"objective": {"next": True}}, f"{WEIGHT} True"),
        ({"objective": {"next": 10**400}}, f"{WEIGHT} 10000000000000000"),
        ({"objective": {"next": Decimal(1)}}, f"{WEIGHT} Decimal('1')"),
        ({"objective": {3: 1.0}}, "objective: expected tasks that know items: next, buys, liked, found 3"),
        ({"objective": [("next", 1.0)]}, "objective: expected tasks and weights, as {"),
        ({"objective": {"next": -0.0}}, "objective: expected a task with a weight above zero, found {"),
        ({"objective": {}}, "objective: expected a task with a weight above zero, found {}"),
        (
            {"objective": {"next": 1}, "task": "next"},
            "recommend: expected an objective, or a task or behaviour",
        ),
    ],
)
def test_an_objective_that_cannot_be_is_refused_in_one_line(model, request_, message):
    with pytest.raises(RequestError) as caught:
        model.recommend(users=USERS, **request_)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)
