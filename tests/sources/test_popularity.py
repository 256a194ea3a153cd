from intertask.data.sequences import from_lists
from intertask.sources.popularity import Config

TRAINING = from_lists([[0, 0, 0, 2], [2], [2, 1]], num_items=4)
ANYONE = from_lists([[], [1]], num_items=4)


def test_events_or_users_are_counted():
    assert Config().fit(TRAINING, 0).score(ANYONE).tolist() == [[3, 1, 3, 0]] * 2
    assert Config(count="users").fit(TRAINING, 0).score(ANYONE).tolist() == [[1, 1, 3, 0]] * 2
