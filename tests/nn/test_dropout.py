import pytest
import torch

from intertask.nn.dropout import Dropout
from tests.worlds import seeded


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_rate_is_kept_and_so_is_the_mean(rate):
    with seeded():
        thinned = Dropout(rate)(torch.ones(1_000, 101))
    assert (thinned == 0).float().mean().item() == pytest.approx(rate, abs=0.005)  # 1/512 is rounding
    assert thinned.mean().item() == pytest.approx(1.0, abs=0.02)
    assert len(thinned.unique()) == 2


def test_a_rate_close_to_one_keeps_one_in_256():
    with seeded():
        thinned = Dropout(0.9999)(torch.ones(100, 1_000))
    assert set(thinned.unique().tolist()) == {0.0, 256.0}


def test_numbers_are_dropped_independently():
    with seeded():
        dropped = (Dropout(0.5)(torch.ones(20_000, 9)) == 0).double()
    assert torch.corrcoef(dropped.T).sub(torch.eye(9)).abs().max() < 0.03  # 4 deviations


def test_the_gradient_flows_through_what_is_left():
    hidden = torch.ones(50, 7, requires_grad=True)
    with seeded():
        thinned = Dropout(0.3)(hidden)
    thinned.sum().backward()
    assert torch.equal(hidden.grad, thinned.detach())


def test_nothing_is_dropped_in_evaluation_or_at_rate_zero():
    hidden = torch.randn(3, 4)
    assert Dropout(0.5).eval()(hidden) is hidden and Dropout(0.0)(hidden) is hidden


def test_the_same_seed_drops_the_same():
    def drawn():
        with seeded(7):
            return Dropout(0.5)(torch.ones(5, 5))

    assert torch.equal(drawn(), drawn())
