"""Heads that judge items begin at what training labels say of them; everything else begins as it did."""

import numpy as np
import pytest
import torch
from scipy.special import logit

from intertask.data.item_means import SHRINKAGE, item_means
from intertask.data.sequences import from_lists
from intertask.evaluate.scoring import Answers
from intertask.events.responses import reference_answers
from intertask.fitting import experiment
from tests import worlds
from tests.train import runs

RESPONSES = {
    "high": {"kind": "response", "label": "rating", "at_least": 3},
    "buy": {"kind": "response", "behaviour": "buy"},
    "stars": {"kind": "response", "label": "rating", "form": "regression"},
}
TASKS = {"next": {"kind": "next_item"}} | RESPONSES
FUNNEL = {
    "click": {"kind": "response", "label": "clicked"},
    "purchase": {"kind": "response", "label": "bought", "given": "click"},
}
NAN = float("nan")


def untrained(tasks, corpus, **changes):
    return experiment.trainable("main", runs.recipe(tasks=tasks, **changes), corpus)


def answers(model, task, num_items):
    """Of a head to some history and each item."""
    states = torch.randn(num_items, model.config.width, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        return model.task(task).predict(states, torch.arange(num_items)).double().numpy()


@pytest.mark.parametrize("task", RESPONSES)
def test_an_untrained_model_answers_the_mean_of_the_item(task):
    corpus = worlds.corpus(worlds.varied(num_users=40, num_items=12, longest=8))
    part = untrained(TASKS, corpus)
    training, items = part.split.training(corpus.sequences), np.arange(12)
    config = part.model.config.tasks[task]
    found = answers(part.model, task, 12)
    told = Answers(config.answer, np.zeros(12, np.float32), found.astype(np.float32))
    mean = reference_answers(told, config, training, items.astype(np.int32), corpus.behaviours)["item mean"]
    np.testing.assert_allclose(found, mean.predicted, rtol=1e-5, atol=1e-6)
    assert np.ptp(found) > 0.01


def test_nothing_but_these_heads_begins_otherwise(monkeypatch):
    corpus = worlds.corpus(worlds.varied(num_users=40, num_items=12, longest=8))
    begun = dict(untrained(TASKS, corpus).model.named_parameters())
    monkeypatch.setattr("intertask.events.trainable.begin_with_labels", lambda *told: None)
    for name, weight in untrained(TASKS, corpus).model.named_parameters():
        last = name.startswith(tuple(f"tasks.{task}." for task in RESPONSES)) and name.endswith(
            ("head.2.weight", "head.2.bias", "item_bias.weight")
        )
        assert torch.equal(weight, begun[name]) is not last, name


def untrained_funnel(clicked, bought):
    """Of users whose events are of items 0, 1, 2 in turn; all of them train."""
    rows = [[place % 3 for place in range(len(user))] for user in clicked]
    log = from_lists(rows, 3, labels={"clicked": clicked, "bought": bought})
    corpus = worlds.corpus(log, ("view",))
    return experiment.trainable("main", runs.recipe(tasks=FUNNEL), corpus, whole=True).model


def test_a_step_of_a_funnel_begins_at_the_share_of_yes_where_the_step_before_is_one():
    clicked = [[1, 0, 1, 1, 1, 0], [1, 1, 0, 1, NAN, 1]] * 3
    bought = [[1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, NAN]] * 3
    model = untrained_funnel(clicked, bought)
    yes = np.array(clicked).ravel() == 1
    said = np.array(bought).ravel()[yes]
    items = np.tile(np.arange(6) % 3, 6)[yes]
    known = ~np.isnan(said)
    base = said[known].mean()
    means = [
        (said[known & (items == item)].sum() + SHRINKAGE * base)
        / ((known & (items == item)).sum() + SHRINKAGE)
        for item in range(3)
    ]
    head = model.task("purchase")
    np.testing.assert_allclose(head.head[-1].bias.item(), logit(base), rtol=1e-5)
    np.testing.assert_allclose(answers(model, "purchase", 3), means, rtol=1e-5)


def test_a_step_that_is_always_a_yes_after_the_one_before_begins_as_it_was():
    clicked = [[1, 0, 1, 1, 0, 0], [1, 1, 0, 1, 0, 1]] * 3
    head = untrained_funnel(clicked, clicked).task("purchase")
    assert head.head[-1].weight.abs().min() > 0
    assert not head.item_bias.weight.any()


def test_an_item_without_labels_has_the_mean_of_all():
    sequences = from_lists([[0, 1, 1]], 3)
    base, means = item_means(np.array([NAN, 1.0, 0.25]), sequences)
    assert base == 0.625
    np.testing.assert_allclose(means, [base, (1.25 + SHRINKAGE * base) / (2 + SHRINKAGE), base])


def test_what_is_trained_on_all_events_begins_at_what_all_of_them_say():
    corpus = worlds.corpus(worlds.varied(num_users=40, num_items=12, longest=8))
    whole = experiment.trainable("main", runs.recipe(tasks=TASKS), corpus, whole=True)
    labels = whole.model.config.tasks["stars"].labels(corpus.sequences, corpus.behaviours)
    _, means = item_means(labels, corpus.sequences)
    np.testing.assert_allclose(answers(whole.model, "stars", 12), means, rtol=1e-5)
