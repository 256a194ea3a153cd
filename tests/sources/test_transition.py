import numpy as np

from intertask.data.sequences import from_lists
from intertask.sources.transition import Config

TRAINING = from_lists([[0, 1, 0, 1, 2], [], [3, 3, 1], [1]], num_items=5)


def scores(history):
    return Config().fit(TRAINING, 0).score(from_lists([history], num_items=5))[0]


def test_successors_are_counted_within_a_user():
    assert np.floor(scores([0])).tolist() == [0, 2, 0, 0, 0]
    assert np.floor(scores([1])).tolist() == [1, 0, 1, 0, 0]
    assert np.floor(scores([3])).tolist() == [0, 1, 0, 1, 0]  # an item may follow itself
    assert np.floor(scores([2])).tolist() == [0, 0, 0, 0, 0]  # user 3's event does not follow user 0's


def test_only_the_last_item_counts():
    np.testing.assert_array_equal(scores([0, 2, 1]), scores([1]))


def test_popularity_breaks_ties_and_fills_zeros():
    assert np.argsort(-scores([1]), kind="stable").tolist() == [0, 2, 1, 3, 4]
    assert np.argsort(-scores([2]), kind="stable").tolist() == [1, 0, 3, 2, 4]
