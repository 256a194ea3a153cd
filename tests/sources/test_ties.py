from intertask.data.sequences import from_lists
from intertask.sources._ties import tie_breaker

TRAINING = from_lists([[0, 0, 0, 2], [2], [2, 1]], num_items=4)


def test_the_tie_breaker_stays_below_one_count():
    assert tie_breaker(TRAINING).tolist() == [0.75, 0.25, 0.75, 0.0]
    many = from_lists([[0] * 100_000], num_items=2)
    assert tie_breaker(many).max() < 1
