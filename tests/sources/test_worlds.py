"""Worlds with known answers: order that can be learnt, taste that can be learnt, and noise that cannot."""

import numpy as np
import pytest

from intertask.data.sequences import from_lists
from intertask.metrics import ranking
from intertask.metrics.bootstrap import difference_intervals
from intertask.options.config import config_class, kinds

NUM_ITEMS = 40
OPTIONS = {"als": {"width": 4}}  # 64 numbers for each of 40 items would learn the users by heart
IMPERSONAL = ("popularity", "recent_popularity", "repeat", "content")  # content: these items say nothing
PERSONAL = [kind for kind in kinds("sources") if kind not in IMPERSONAL]


def ranks(kind, sequences):
    """Ranks of each user's last event, ties against the model, everything before it known."""
    training = from_lists([items[:-1] for items in sequences], NUM_ITEMS)
    targets = np.array([items[-1] for items in sequences])
    ranker = config_class("sources", kind, "test")(kind=kind, **OPTIONS.get(kind, {})).fit(training, 0)
    scores = ranker.score(training)
    return (scores >= scores[np.arange(len(targets)), targets][:, None]).sum(axis=1)


def chain(seed=0, num_users=200):
    """Each item has one successor, the same for everyone; where a user starts is chance."""
    generator = np.random.default_rng(seed)
    successor = np.roll(generator.permutation(NUM_ITEMS), 1)
    order = np.argsort(successor)
    starts = generator.integers(NUM_ITEMS, size=num_users)
    return [order[(start + np.arange(12)) % NUM_ITEMS].tolist() for start in starts]


def tastes(seed=0, num_users=300):
    """Each user likes one quarter of the items and has them in any order, none twice."""
    generator = np.random.default_rng(seed)
    return [
        generator.permutation(np.arange(NUM_ITEMS)[np.arange(NUM_ITEMS) % 4 == user % 4])[:7].tolist()
        for user in range(num_users)
    ]


def noise(seed=0, num_users=400):
    """Every event is a fair draw."""
    return np.random.default_rng(seed).integers(NUM_ITEMS, size=(num_users, 12)).tolist()


def test_transitions_solve_a_deterministic_chain_and_popularity_does_not():
    assert ranking.hit_rate(ranks("transition", chain()), 1).mean() > 0.99
    assert ranking.hit_rate(ranks("popularity", chain()), 1).mean() < 0.2


@pytest.mark.parametrize("kind", ["item_knn", "als", "ease"])
def test_tastes_are_learnt_from_what_users_have_in_common(kind):
    # A taste has 10 items, 6 of them in the history, which is not masked: all 10 must stand first.
    assert ranking.hit_rate(ranks(kind, tastes()), 10).mean() > 0.95
    assert ranking.hit_rate(ranks("popularity", tastes()), 10).mean() < 0.5


@pytest.mark.parametrize("kind", PERSONAL)
def test_nothing_beats_popularity_on_noise(kind):
    own = ranking.ndcg(ranks(kind, noise()), 10)[:, None]
    popular = ranking.ndcg(ranks("popularity", noise()), 10)[:, None]
    found = difference_intervals(own, popular, np.arange(len(own)), np.random.default_rng(0), confidence=0.99)
    assert found.lows[0] <= 0
