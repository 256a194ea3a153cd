import numpy as np

from intertask.data.counts import event_counts, interactions
from intertask.data.sequences import from_lists

TRAINING = from_lists([[0, 0, 0, 2], [2], [2, 1]], num_items=4)


def test_every_event_of_an_item_counts():
    assert event_counts(TRAINING).tolist() == [3, 1, 3, 0]


def test_interactions_hold_each_item_once_and_leave_the_sequences_alone():
    items = TRAINING.items.copy()
    assert interactions(TRAINING).toarray().tolist() == [[1, 0, 1, 0], [0, 0, 1, 0], [0, 1, 1, 0]]
    np.testing.assert_array_equal(TRAINING.items, items)
