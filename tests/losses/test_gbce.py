import math

import pytest
import torch

from intertask.losses.gbce import Config
from tests import worlds
from tests.losses.tables import OnRows


def loss_of(num_items, num_negatives, calibration):
    config = Config(num_negatives=num_negatives, calibration=calibration)
    return OnRows(config.build(worlds.dimensions(num_items=num_items)))


def sigmoid(score):
    return 1 / (1 + math.exp(-score))


@pytest.mark.parametrize("calibration", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("num_negatives", [1, 3])
def test_it_equals_the_formula_of_the_paper(num_negatives, calibration):
    # Two items that are never drawn as their own negative: whatever is drawn, the loss is known.
    scores = torch.tensor([1.3, -0.4])
    alpha = 1.0  # one negative item, and at least one of it is drawn
    beta = alpha * (calibration * (1 - 1 / alpha) + 1 / alpha)
    expected = -(
        math.log(sigmoid(1.3) ** beta) + num_negatives * math.log(1 - sigmoid(-0.4))
    ) / (num_negatives + 1)  # fmt: skip
    found = loss_of(2, num_negatives, calibration)(torch.ones(1, 1), torch.tensor([0]), scores[:, None])
    assert found.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("calibration", "beta"),
    [(0.0, 1.0), (1.0, 0.2), (0.75, 0.4)],  # alpha = 4 / 20: equation 12 by hand
)
def test_calibration_runs_from_plain_cross_entropy_to_the_sampling_rate(calibration, beta):
    hidden, table = torch.ones(1, 1), torch.zeros(21, 1, requires_grad=True)
    with worlds.seeded():
        loss_of(21, 4, calibration)(hidden, torch.tensor([7]), table).backward()
    # At a score of 0 the slope of log sigma is 1/2: the target's gradient shows the power alone.
    assert table.grad[7].item() * (4 + 1) == pytest.approx(-beta / 2)


def test_negatives_are_uniform_over_all_items_but_the_target():
    size = 40_000
    table = torch.zeros(5, 1, requires_grad=True)
    with worlds.seeded():
        loss_of(5, size, 1.0)(torch.ones(1, 1), torch.tensor([2]), table).backward()
    counts = table.grad[[0, 1, 3, 4], 0] * 2 * (size + 1)
    torch.testing.assert_close(counts / size, torch.full((4,), 0.25), atol=0.01, rtol=0.0)
