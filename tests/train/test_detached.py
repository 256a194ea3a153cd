"""A detached task beside them changes no bit of the other tasks: neither weights nor losses nor metrics."""

import pytest
import torch

from intertask.events import trainable
from intertask.fitting import experiment
from intertask.model import network
from tests import worlds
from tests.train import runs

TOGETHER = {
    "next": {"kind": "next_item", "loss": {"kind": "shared_pool", "num_negatives": 4}},
    "high": {"kind": "response", "label": "rating", "at_least": 3},
}
APART = {
    "rates": {"kind": "response", "label": "rating", "form": "regression", "weight": 1e5},
    "drawn": {"kind": "next_item", "loss": {"kind": "gbce", "num_negatives": 3}},
    "what": {"kind": "next_behaviour"},
}
APART = {name: task | {"detached": True} for name, task in APART.items()}
ALL = {"rates": APART["rates"], **TOGETHER, "drawn": APART["drawn"], "what": APART["what"]}
BALANCES = {kind: config.model_dump() for kind, config in worlds.variants("balance").items()}
BALANCES["pcgrad"] = {"kind": "aggregation", "method": "pcgrad"}  # draws an order of the tasks
LOG = worlds.corpus(worlds.varied(num_users=20, longest=8))


def trained(folder, tasks, **changes):
    train = {"epochs": 2, "warmup_steps": 2, "monitor": None} | changes.pop("train", {})
    return experiment.fit(runs.recipe(tasks=tasks, train=train, **changes), LOG, folder)


def assert_untouched(folder, together=TOGETHER, apart=ALL, **changes):
    """The tasks that are trained together are in both runs the same."""
    alone, beside = (
        trained(folder / name, tasks, **changes) for name, tasks in (("a", together), ("b", apart))
    )
    there = runs.weights(beside)
    for name, weight in runs.weights(alone).items():
        assert torch.equal(weight, there[name]), name
    assert alone.trained.best_epoch == beside.trained.best_epoch
    for event, kept in (("step", "losses"), ("validation", "metrics")):
        lines, others = (runs.journal(folder / name, event) for name in ("a", "b"))
        assert len(lines) == len(others) > 1
        for line, other in zip(lines, others, strict=True):
            assert {name: other[kept][name] for name in line[kept]} == line[kept]
            assert line.get("total") == other.get("total")
    return alone, beside


@pytest.mark.parametrize("balance", BALANCES.values(), ids=BALANCES.keys())
def test_detached_tasks_change_no_bit_of_the_others_with_any_balance(balance, tmp_path):
    assert_untouched(tmp_path, balance=balance, train={"clip_norm": 0.5})


@pytest.mark.parametrize("encoder", ["attention", "gru"])
@pytest.mark.parametrize(
    "train",
    [
        {"clip_norm": 1e-3},
        {"clip_norm": 1e9, "schedule": "constant"},
        {"average": 0.0},
        {"monitor": "all", "gradient_steps": 2},
        {"windows": "last", "patience": 1},
    ],
    ids=str,
)
def test_detached_tasks_change_no_bit_of_the_others_with_any_training(encoder, train, tmp_path):
    assert_untouched(tmp_path, encoder={"kind": encoder, "dropout": 0.3}, train=train)


@pytest.mark.parametrize("communication", ["gated_slots", "ple"])
def test_detached_tasks_change_no_bit_of_the_others_whatever_they_exchange(communication, tmp_path):
    assert_untouched(tmp_path, communication=communication, balance={"kind": "entropy", "labels": 1.0})


def test_one_ranking_beside_detached_tasks_is_the_one_that_stands_alone(tmp_path):
    one = {"next": TOGETHER["next"]}
    assert_untouched(tmp_path, one, {"rates": APART["rates"], **one, "what": APART["what"]})


def test_a_detached_loss_over_all_items_changes_no_table_that_is_updated_row_by_row(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "SPARSE_FROM", 1)
    one = {"next": TOGETHER["next"]}
    full = {"kind": "next_item", "behaviour": "buy", "horizon": "later", "detached": True}
    alone, beside = assert_untouched(tmp_path, one, {**one, "buy": full}, train={"batch_tokens": 6})
    assert alone.model.items.embedding.sparse and beside.model.items.embedding.sparse


def test_a_step_with_labels_of_detached_tasks_alone_moves_nothing_else(tmp_path):
    buy = {"buy": {"kind": "next_item", "behaviour": "buy"}}
    assert_untouched(tmp_path, buy, {**buy, **APART}, train={"batch_tokens": 6})
    present = {tuple(line["losses"]) for line in runs.journal(tmp_path / "b", "step")}
    assert any("buy" not in names for names in present) and any("buy" in names for names in present)


def test_each_detached_task_is_what_it_is_without_the_other_detached_ones(tmp_path):
    for own in APART:
        few = {**TOGETHER, own: APART[own]}
        alone, beside = (
            trained(tmp_path / own / str(len(tasks)), tasks, train={"clip_norm": 1e-2, "epochs": 1})
            for tasks in (few, ALL)
        )
        for name, weight in runs.weights(alone).items():
            assert torch.equal(weight, runs.weights(beside)[name]), name


def test_a_detached_task_learns(tmp_path):
    before = trainable.build(runs.recipe(tasks=ALL), LOG, runs.SECTIONS["seed"])
    after = runs.weights(trained(tmp_path, ALL))
    for name, weight in before.named_parameters():
        if name.startswith(tuple(f"tasks.{own}." for own in APART)) and weight.requires_grad:
            assert not torch.equal(weight, after[name]), name


def test_the_weight_of_a_detached_task_has_no_effect(tmp_path):
    heavy = {**TOGETHER, "rates": APART["rates"]}
    light = {**TOGETHER, "rates": APART["rates"] | {"weight": 1e-9}}
    found = [
        runs.weights(trained(tmp_path / str(place), tasks)) for place, tasks in enumerate((heavy, light))
    ]
    assert all(torch.equal(weight, found[1][name]) for name, weight in found[0].items())


def test_the_epoch_is_chosen_by_all_tasks_that_are_not_detached(tmp_path):
    assert trained(tmp_path, ALL).trained.monitor == "all"
