"""What is popular now, in worlds where taste changes and where it stays."""

import numpy as np
import pytest

from intertask import EventLog, Recommender
from intertask.data.recency import chosen, recent
from intertask.data.sequences import Sequences, from_lists
from tests import shop

DAY = 86_400


def world(drifts: bool, seed: int = 0, days: int = 100) -> Sequences:
    """Each day has ten events; where taste drifts, of ten items that nobody wanted twenty days before."""
    random = np.random.default_rng(seed)
    people = [([], []) for _ in range(10)]
    for day in range(days):
        for items, times in people:
            items.append(int((day // 2 if drifts else 0) + random.integers(10)))
            times.append(day * DAY + int(random.integers(DAY)))
    rows = [sorted(zip(times, items, strict=True)) for items, times in people]
    return from_lists(
        [[item for _, item in row] for row in rows], 60, times=[[time for time, _ in row] for row in rows]
    )


def counts(log: Sequences) -> np.ndarray:
    return np.bincount(log.items, minlength=log.num_items)[None]


def test_where_taste_drifts_the_latest_items_are_popular():
    log = world(drifts=True)
    half_life = chosen(log)
    assert half_life is not None and half_life < 30 * DAY
    best = np.argsort(-recent(log, counts(log))[0])[:5]
    assert best.min() >= 45  # items of the last ten days
    assert np.argsort(-counts(log)[0])[:5].min() < 45


def test_where_taste_stays_all_events_count():
    log = world(drifts=False)
    told = recent(log, counts(log))
    best = set(np.flatnonzero(told[0] > 0).tolist())
    assert best == set(range(10))
    assert chosen(log) is None or chosen(log) > 10 * DAY


def test_as_many_events_as_there_are_and_no_item_is_lost():
    log = world(drifts=True)
    told = recent(log, counts(log))
    assert told.sum() == pytest.approx(counts(log).sum(), rel=1e-3)
    assert ((told > 0) == (counts(log) > 0)).all()


@pytest.mark.parametrize("num", [0, 5])
def test_of_few_events_all_count(num):
    log = from_lists([[0] * num], 3, times=[[7] * num])
    assert chosen(log) is None and recent(log, np.array([[2, 0, 1]])).tolist() == [[2, 0, 1]]


def test_events_at_one_moment_all_count():
    log = from_lists([[0, 1, 1] * 100], 3, times=[[7] * 300])
    assert chosen(log) is None


def test_somebody_without_an_event_is_shown_what_is_popular_of_late():
    log = world(drifts=True)
    users = np.repeat(np.arange(log.num_users), log.lengths)
    frame = {"user": users, "item": log.items, "time": log.times}
    own = shop.recipe(
        tasks={"next": {"kind": "next_item"}}, train={"epochs": 1, "workers": 0, "refit": False}
    )
    model = Recommender(own).fit(EventLog.read(frame, time="time"))
    items = model.recommend(histories=[[]], k=5, exclude_seen=False)["item"].to_list()
    assert min(map(int, items)) >= 40
