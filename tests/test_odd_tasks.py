"""Tasks that teach nothing, or hardly anything, are trained with or refused; never a number that is none."""

import math
import warnings

import numpy as np
import pytest

from intertask.data.sequences import from_lists
from intertask.errors import RecipeError
from intertask.fitting import experiment
from tests import worlds
from tests.train import runs

USERS, LENGTH, DAY = 20, 8, 86_400
NEXT = {"next": {"kind": "next_item"}}
BALANCES = {kind: config.model_dump() for kind, config in worlds.variants("balance").items()}
METHODS = {
    method: {"kind": "aggregation", "method": method}  # two gradients that are one make a matrix singular
    for method in ("mgda", "pcgrad", "cagrad", "nash_mtl", "aligned_mtl", "imtl_g", "dual_proj")
}


def log(label):
    """Walks along a chain, a day an event, with a label for each event."""
    walks = worlds.chain(12, USERS, LENGTH)
    labels = [[float(label(user, place)) for place in range(LENGTH)] for user in range(USERS)]
    times = [[DAY * (LENGTH * user % 3 + place) for place in range(LENGTH)] for user in range(USERS)]
    return worlds.corpus(from_lists(walks, 12, times=times, labels={"rating": labels}), ("view",))


def trained(folder, tasks, label, **changes):
    train = {"epochs": 2, "batch_tokens": 40} | changes.pop("train", {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = experiment.fit(runs.recipe(tasks=tasks, train=train, **changes), log(label), folder)
    assert all(weight.isfinite().all() for weight in fitted.model.parameters())
    lines = runs.journal(folder, "step") + runs.journal(folder, "validation")
    told = [value for line in lines for value in (line.get("losses") or line.get("metrics") or {}).values()]
    assert told and all(map(math.isfinite, told))
    return fitted


def one_line(caught):
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("value", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("form", ["binary", "regression"])
def test_labels_that_are_all_alike_are_refused(form, value, tmp_path):
    at_least = {} if form == "regression" or value < 3 else {"at_least": 3}
    own = {"kind": "response", "label": "rating", "form": form, **at_least}
    with pytest.raises(RecipeError, match="all of them") as caught:
        trained(tmp_path, NEXT | {"own": own}, lambda user, place: value)
    assert one_line(caught)
    assert not any(tmp_path.iterdir())


def test_a_behaviour_that_every_event_has_is_no_response(tmp_path):
    own = {"kind": "response", "behaviour": "view"}
    with pytest.raises(RecipeError, match="all of them yes") as caught:
        trained(tmp_path, NEXT | {"own": own}, lambda user, place: 1.0)
    assert one_line(caught)


def test_a_label_of_the_last_events_alone_is_trained_with_or_refused_by_where_the_cut_is(tmp_path):
    own = {"kind": "response", "label": "rating"}

    def late(user, place):
        return np.nan if place < LENGTH - 3 else (user + place) % 2

    trained(tmp_path / "a", NEXT | {"own": own}, late)
    split = {"kind": "time", "train": 0.4, "validation": 0.3}
    with pytest.raises(RecipeError, match="a label at some training event that follows another, found none"):
        trained(tmp_path / "b", NEXT | {"own": own}, late, split=split)


def test_three_labels_are_trained_with_and_do_no_harm(tmp_path):
    own = {"kind": "response", "label": "rating"}

    def few(user, place):
        return user % 2 if place == 2 and user < 3 else np.nan

    trained(tmp_path / "a", NEXT | {"own": own}, few)
    trained(tmp_path / "b", {"own": own} | NEXT, few)
    with pytest.raises(RecipeError, match="expected a validation target, to choose the epoch by, found none"):
        trained(tmp_path / "c", {"own": own} | NEXT, few, train={"monitor": "own/auc"})


@pytest.mark.parametrize("balance", [*BALANCES.values(), *METHODS.values()], ids=[*BALANCES, *METHODS])
def test_two_tasks_that_are_the_same_are_trained_with_any_balance(balance, tmp_path):
    liked = {"kind": "response", "label": "rating"}
    tasks = NEXT | {"again": NEXT["next"], "liked": liked, "loved": liked}
    fitted = trained(tmp_path, tasks, lambda user, place: (user + place) % 2, balance=balance)
    found = runs.journal(tmp_path, "validation")[-1]["metrics"]
    assert abs(found["next/ndcg@10"] - found["again/ndcg@10"]) < 0.2
    assert fitted.trained.epochs == 2


@pytest.mark.parametrize("balance", BALANCES.values(), ids=BALANCES.keys())
@pytest.mark.parametrize("weight", [1e-9, 1e6])
def test_any_weight_is_trained_with_by_any_balance(weight, balance, tmp_path):
    tasks = NEXT | {"liked": {"kind": "response", "label": "rating", "weight": weight}}
    trained(tmp_path, tasks, lambda user, place: (user + place) % 2, balance=balance)


@pytest.mark.parametrize("weight", [1e9, math.inf, math.nan, 0.0, -1.0])
def test_a_weight_that_cannot_be_is_refused(weight):
    with pytest.raises(RecipeError, match="weight: expected"):
        runs.recipe(tasks=NEXT | {"liked": {"kind": "response", "label": "rating", "weight": weight}})


@pytest.mark.parametrize("balance", ["likelihood", "entropy"])
def test_how_far_values_are_from_zero_does_not_matter_to_what_stands_beside_them(balance, tmp_path):
    own = {"kind": "response", "label": "rating", "form": "regression"}
    found = []
    for offset in (0, 64):
        folder = tmp_path / str(offset)
        trained(
            folder, NEXT | {"own": own}, lambda u, p, far=offset: far + (7 * u + 3 * p) % 5, balance=balance
        )
        found.append(runs.journal(folder, "validation")[-1]["metrics"])
    near, far = found
    assert near["next/ndcg@10"] == pytest.approx(far["next/ndcg@10"], abs=0.01)
    assert near["own/-rmse"] == pytest.approx(far["own/-rmse"], rel=0.01)
