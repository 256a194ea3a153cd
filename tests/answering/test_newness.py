import numpy as np
import pytest
import torch

from intertask.answering import newness
from intertask.data.sequences import from_lists
from intertask.data.windows import Windows
from intertask.items._raising import raised


def test_the_best_new_items_stay_and_the_others_are_as_they_were():
    scores = torch.randn(50, 20, generator=torch.Generator().manual_seed(0))
    new, most = np.arange(20) % 3 == 0, np.arange(50) % 9
    bounded = scores.clone()
    newness.bound(bounded, new, most)
    assert torch.equal(bounded[:, ~new], scores[:, ~new])
    for row in range(50):
        left = bounded[row, new][bounded[row, new] > -torch.inf]
        assert left.sort().values.tolist() == scores[row, new].sort().values[7 - min(7, most[row]) :].tolist()


@pytest.mark.parametrize("share", [0.0, 0.04, 0.13, 0.5, 1.0])
def test_places_are_the_share_in_the_mean_and_follow_the_history_alone(share):
    random = np.random.default_rng(0)
    lists = [random.integers(1_000, size=1 + n % 20).tolist() for n in range(3_000)]
    sequences = from_lists(lists, 1_000)
    windows = Windows(sequences.offsets[:-1], sequences.offsets[1:])
    found = newness.places(sequences, windows, 10, share)
    assert found.mean() == pytest.approx(10 * share, abs=0.03)
    assert np.ptp(found) <= 1
    some = np.arange(0, 3_000, 7)
    assert np.array_equal(newness.places(sequences, windows[some], 10, share), found[some])


def test_an_empty_history_has_its_places():
    sequences = from_lists([[]], 5)
    windows = Windows(sequences.offsets[:-1], sequences.offsets[1:])
    assert newness.places(sequences, windows, 10, 0.2).tolist() == [2]


def test_new_items_are_raised_by_deviations_of_the_others():
    scores = torch.tensor([[0.0, 2.0, 5.0], [1.0, 5.0, 5.0]])
    fresh = torch.tensor([False, False, True])
    raised(scores, fresh, ~fresh, 0.5)
    assert scores[:, :2].tolist() == [[0.0, 2.0], [1.0, 5.0]]
    assert torch.allclose(scores[:, 2], 5 + 0.5 * torch.tensor([2.0, 4.0]) / 2**0.5)
    for none in (0.0, 0.5):
        before = scores.clone()
        raised(scores, fresh & (none == 0), ~fresh, none)
        assert scores.equal(before)
