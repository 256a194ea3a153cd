import numpy as np

from intertask.baselines.popularity import Config, event_counts, interactions, tie_breaker
from intertask.data.sequences import from_lists

TRAINING = from_lists([[0, 0, 0, 2], [2], [2, 1]], num_items=4)
ANYONE = from_lists([[], [1]], num_items=4)


def test_events_or_users_are_counted():
    assert Config().fit(TRAINING, 0).score(ANYONE).tolist() == [[3, 1, 3, 0]] * 2
    assert Config(count="users").fit(TRAINING, 0).score(ANYONE).tolist() == [[1, 1, 3, 0]] * 2
    assert event_counts(TRAINING).tolist() == [3, 1, 3, 0]


def test_interactions_hold_each_item_once_and_leave_the_sequences_alone():
    items = TRAINING.items.copy()
    assert interactions(TRAINING).toarray().tolist() == [[1, 0, 1, 0], [0, 0, 1, 0], [0, 1, 1, 0]]
    np.testing.assert_array_equal(TRAINING.items, items)


def test_the_tie_breaker_stays_below_one_count():
    assert tie_breaker(TRAINING).tolist() == [0.75, 0.25, 0.75, 0.0]
    many = from_lists([[0] * 100_000], num_items=2)
    assert tie_breaker(many).max() < 1
