import numpy as np
import pytest
import torch

from intertask.events.validation import Validator
from intertask.model import ModelConfig
from intertask.recommender import Recommender
from intertask.train import edges
from tests import worlds
from tests.train import runs

SLOTS = {"kind": "gated_slots", "num_shared": 1}
TASKS = {"next": {"kind": "next_item"}, "high": {"kind": "response", "label": "rating", "at_least": 3}}
USERS = np.arange(200)


def model(communication=SLOTS, tasks=TASKS):
    config = ModelConfig.model_validate({"width": 8, "communication": communication, "tasks": tasks})
    return worlds.model(config, worlds.varied()).eval()


def judge_by(worth):
    """A task answers as well as its open edges are worth, the same for every user but for noise."""
    noise = np.random.default_rng(0).normal(size=len(USERS))

    def judge(built, name):
        row = edges.edges(built)[built.place(name)].numpy()
        return noise * 0.01 + row @ np.array(worth[name]), USERS

    return judge


def test_an_edge_stays_open_where_it_helps_and_there_alone():
    built = model()
    worth = {"next": [0.0, 0.1, 0.0], "high": [-0.2, 0.0, 0.3]}  # of next, high, shared
    verdicts = edges.close_useless(built, judge_by(worth), seed=0)
    assert edges.edges(built).tolist() == [[1, 1, 0], [0, 1, 1]]  # to itself a task has no edge to close
    assert {(v.reader, v.source): v.closed for v in verdicts} == {
        ("next", "high"): False,
        ("next", "shared 1"): True,
        ("high", "next"): True,
        ("high", "shared 1"): False,
    }
    gains = {(verdict.reader, verdict.source): round(verdict.gain, 6) for verdict in verdicts}
    assert list(gains.values()) == [0.0, 0.1, -0.2, 0.3]  # of a reader those that were closed come first


def test_of_two_sources_that_say_the_same_one_stays_open():
    built = model()
    noise = np.random.default_rng(0).normal(size=len(USERS))

    def judge(built, name):
        either = edges.edges(built)[built.place(name)].numpy()[[1 - built.place(name), 2]].max()
        return 0.01 * noise + either, USERS

    edges.close_useless(built, judge, seed=0)
    assert edges.edges(built).sum(1).tolist() == [2, 2]  # itself, and one of the two


def test_a_closed_edge_is_not_judged_again():
    built = model()
    worth = {"next": [0.0, -1.0, -1.0], "high": [-1.0, 0.0, -1.0]}
    assert len(edges.close_useless(built, judge_by(worth), seed=0)) == 4
    helpful = {name: [1.0] * 3 for name in worth}
    assert edges.close_useless(built, judge_by(helpful), seed=0) == []
    assert edges.edges(built).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_the_edges_of_a_task_without_targets_stay():
    built = model()
    assert edges.close_useless(built, lambda built, name: None, seed=0) == []
    assert edges.edges(built).min() == 1


@pytest.mark.parametrize(
    ("communication", "tasks", "found"),
    [
        (SLOTS, TASKS, True),
        (SLOTS | {"close_edges": False}, TASKS, False),
        (SLOTS, {"next": {"kind": "next_item"}}, False),
        ({"kind": "ple"}, TASKS, False),
    ],
)
def test_only_open_slots_of_several_tasks_have_edges(communication, tasks, found):
    assert edges.has_edges(model(communication, tasks)) is found


def test_a_run_closes_edges_at_half_time_and_at_its_end_and_what_is_kept_has_them_closed(
    tmp_path, monkeypatch
):
    judged = []
    usual = edges.close_useless

    def close(built, judge, seed):
        verdicts = usual(built, judge_by({"next": [0.0, 0.1, 0.0], "high": [0.0, 0.0, 0.0]}), seed)
        judged.append(len(verdicts))
        return verdicts

    monkeypatch.setattr(edges, "close_useless", close)
    rises = iter([0.1, 0.2, 0.3, 0.4])  # the last epoch is kept
    asked = Validator.__call__
    monkeypatch.setattr(
        Validator, "__call__", lambda self, model: asked(self, model) | {"next/ndcg@10": next(rises)}
    )
    fitted = runs.fit(tmp_path, communication=SLOTS, train={"epochs": 4, "monitor": "next/ndcg@10"})
    assert judged == [4, 1]
    assert [len(line["verdicts"]) for line in runs.journal(tmp_path, "edges")] == [4, 1]
    assert edges.edges(fitted.model).tolist() == [[1, 1, 0], [0, 1, 0]]


def test_the_weights_that_half_time_keeps_have_the_edges_closed_that_it_closed(tmp_path, monkeypatch):
    judged = []

    def close(built, judge, seed):
        judged.append(edges.edges(built).clone())
        edges.edges(built)[0, 1] = 0.0
        return []

    monkeypatch.setattr(edges, "close_useless", close)
    falls = iter([0.1, 0.9, 0.3, 0.2])  # the second epoch of four, at whose end edges are closed, is kept
    usual = Validator.__call__
    monkeypatch.setattr(
        Validator, "__call__", lambda self, model: usual(self, model) | {"next/ndcg@10": next(falls)}
    )
    runs.fit(tmp_path, communication=SLOTS, train={"epochs": 4, "monitor": "next/ndcg@10"})
    assert [row[0, 1] for row in judged] == [1, 0]  # the end judges what was kept


def test_a_finished_run_that_is_started_again_is_the_same(tmp_path):
    first, again = (runs.fit(tmp_path, communication=SLOTS, train={"epochs": 2}) for _ in range(2))
    assert torch.equal(edges.edges(first.model), edges.edges(again.model))
    lines = runs.journal(tmp_path, "edges")  # half time and end, which is written once
    assert len(lines) == 2 and lines[1]["closed"] == edges.closed(first.model)


def test_closed_edges_are_saved_with_the_model(tmp_path, monkeypatch):
    def close(built, judge, seed):
        edges.edges(built)[0, 1] = 0.0
        return []

    monkeypatch.setattr(edges, "close_useless", close)
    recipe = runs.recipe(communication=SLOTS, train={"epochs": 1})
    Recommender(recipe).fit(worlds.corpus(worlds.varied(num_users=60, longest=8))).save(tmp_path / "model")
    assert edges.edges(Recommender.load(tmp_path / "model").model).tolist() == [[1, 0, 1], [1, 1, 1]]
