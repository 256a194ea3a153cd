import torch
from hypothesis import given
from hypothesis import strategies as st

from intertask.nn.best import best_items


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=4), st.integers(1, 8)
)
def test_equal_scores_stand_in_the_order_of_the_items(rows, k):
    values, items = best_items(torch.tensor(rows, dtype=torch.float32), k)
    for row, value, item in zip(rows, values.tolist(), items.tolist(), strict=True):
        expected = sorted(range(6), key=lambda place: (-row[place], place))[:k]
        assert item == expected
        assert value == [row[place] for place in expected]


def test_a_short_list_begins_a_long_one():
    scores = torch.tensor([[1.0, 2.0, 2.0, 2.0, 0.0, 2.0]])
    assert best_items(scores, 2)[1].tolist() == [best_items(scores, 5)[1].tolist()[0][:2]]


def test_excluded_items_come_last():
    scores = torch.tensor([[float("-inf"), 1.0, float("-inf"), float("-inf")]])
    values, items = best_items(scores, 3)
    assert items[0, 0] == 1
    assert values[0, 1:].isneginf().all()
