import numpy as np
import pytest

from intertask.data.sequences import from_lists
from intertask.sources.recent_popularity import Config

ANYONE = from_lists([[]], num_items=4)


def counts(window, training):
    return np.floor(Config(window=window).fit(training, 0).score(ANYONE)[0]).tolist()


def test_the_window_is_the_latest_share_of_all_events():
    training = from_lists([[0, 0, 1], [0, 2]], num_items=4, times=[[1, 2, 9], [3, 10]])
    assert counts(0.4, training) == [0, 1, 1, 0]
    assert counts(0.5, training) == [1, 1, 1, 0]  # rounded up to three events
    assert counts(1.0, training) == [3, 1, 1, 0]


def test_events_at_the_moment_of_the_cut_all_count():
    training = from_lists([[0, 1], [2, 3]], num_items=4, times=[[1, 5], [5, 6]])
    assert counts(0.5, training) == [0, 1, 1, 1]


def test_without_times_the_window_is_each_users_end():
    training = from_lists([[0, 0, 0, 1], [2], []], num_items=4)
    assert counts(0.25, training) == [0, 1, 1, 0]


def test_all_time_popularity_orders_what_is_not_recent():
    training = from_lists([[0, 0, 1, 2]], num_items=4, times=[[1, 2, 3, 9]])
    scores = Config(window=0.25).fit(training, 0).score(ANYONE)[0]
    assert np.argsort(-scores, kind="stable").tolist() == [2, 0, 1, 3]


@pytest.mark.parametrize("window", [0.0, 1.5])
def test_a_window_that_is_no_share_is_refused(window):
    with pytest.raises(ValueError, match="window"):
        Config(window=window)
