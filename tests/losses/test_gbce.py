import math

import numpy as np
import pytest
import torch

from intertask.losses.gbce import Config
from tests import worlds
from tests.losses.tables import OnRows, Rows


def loss_of(num_items, num_negatives, calibration):
    config = Config(num_negatives=num_negatives, calibration=calibration)
    return OnRows(config.build(worlds.dimensions(num_items=num_items)))


class SeenRows(Rows):
    """Rows that remember which items were asked for: the target of each position, then its negatives."""

    def __call__(self, items):
        self.asked = items.numpy()
        return super().__call__(items)


def by_the_equations(hidden, table, asked, num_negatives, calibration):
    """The loss and its gradients, from equations 8 and 12 in NumPy; scores begin at the odds beta : k."""
    rate = num_negatives / (len(table) - 1)
    beta = rate * (calibration * (1 - 1 / rate) + 1 / rate)
    rows = table[asked]
    scores = (rows @ hidden[:, :, None])[..., 0] + np.log(beta / num_negatives)
    probability = 1 / (1 + np.exp(-scores))
    lost = -np.log(probability[:, 0] ** beta) - np.log(1 - probability[:, 1:]).sum(1)
    slope = probability.copy()
    slope[:, 0] = -beta * (1 - probability[:, 0])
    slope /= len(hidden) * (num_negatives + 1)
    table_slope = np.zeros_like(table)
    np.add.at(table_slope, asked, slope[..., None] * hidden[:, None])
    return lost.mean() / (num_negatives + 1), np.einsum("nk,nkd->nd", slope, rows), table_slope


@pytest.mark.parametrize("calibration", [0.0, 0.3, 0.75, 1.0])
@pytest.mark.parametrize("num_negatives", [1, 5, 64])
def test_value_and_gradients_are_those_of_the_equations(num_negatives, calibration):
    random = np.random.default_rng(0)
    hidden, table = random.normal(size=(6, 4)), random.normal(size=(101, 4))
    targets = torch.tensor([0, 100, 7, 7, 50, 3])
    tensors = [torch.tensor(part, requires_grad=True) for part in (hidden, table)]
    seen = SeenRows(tensors[1])
    with worlds.seeded():
        loss = loss_of(101, num_negatives, calibration).loss(tensors[0], targets, seen)
    loss.backward()
    value, *slopes = by_the_equations(hidden, table, seen.asked, num_negatives, calibration)
    assert (seen.asked[:, 0] == targets.numpy()).all() and seen.asked.shape == (6, 1 + num_negatives)
    assert loss.item() == pytest.approx(value, rel=1e-12)
    for tensor, slope in zip(tensors, slopes, strict=True):
        np.testing.assert_allclose(tensor.grad, slope, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    ("calibration", "beta"),
    [(0.0, 1.0), (1.0, 0.2), (0.75, 0.4)],  # alpha = 4 / 20: equation 12 by hand
)
def test_calibration_runs_from_plain_cross_entropy_to_the_sampling_rate(calibration, beta):
    assert loss_of(21, 4, calibration).loss.beta == pytest.approx(beta)


@pytest.mark.parametrize("calibration", [0.0, 0.75, 1.0])
@pytest.mark.parametrize("num_negatives", [1, 64])
def test_a_model_that_knows_nothing_pushes_its_items_nowhere_together(num_negatives, calibration):
    items, hidden = 201, torch.tensor([[2.0, -1.0]])
    table = torch.zeros(items, 2, requires_grad=True)  # each item is the target as often as any other
    with worlds.seeded():
        loss = loss_of(items, num_negatives, calibration)
        loss(hidden.expand(items, 2), torch.arange(items), table).backward()
    together = table.grad.sum(0).norm()
    assert together < 1e-5 * table.grad.norm(dim=1).sum()


def test_one_negative_without_calibration_is_plain_binary_cross_entropy():
    scores = torch.tensor([[1.3], [-0.4]])
    found = loss_of(2, 1, 0.0)(torch.ones(1, 1), torch.tensor([0]), scores)
    assert found.item() == pytest.approx((math.log1p(math.exp(-1.3)) + math.log1p(math.exp(-0.4))) / 2)


def test_negatives_are_uniform_over_all_items_but_the_target():
    size = 40_000
    table = torch.zeros(5, 1)
    seen = SeenRows(table)
    with worlds.seeded():
        loss_of(5, size, 1.0).loss(torch.ones(1, 1), torch.tensor([2]), seen)
    counts = np.bincount(seen.asked[0, 1:], minlength=5) / size
    np.testing.assert_allclose(counts, [0.25, 0.25, 0, 0.25, 0.25], atol=0.01)
