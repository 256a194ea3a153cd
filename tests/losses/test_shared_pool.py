import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from intertask.losses.shared_pool import Config
from tests import worlds
from tests.losses.tables import OnRows

COUNTS = np.array([0, 1, 3, 50, 9, 0, 200, 4])
ITEMS, WIDTH = len(COUNTS), 4


def loss_of(num_negatives, popularity=0.5, counts=COUNTS):
    sizes = worlds.dimensions(num_items=len(counts), width=WIDTH, item_counts=counts)
    return OnRows(Config(num_negatives=num_negatives, popularity=popularity).build(sizes))


def example(rows=3):
    random = torch.Generator().manual_seed(0)
    hidden, table = (torch.randn(size, WIDTH, generator=random) for size in (rows, ITEMS))
    return hidden, torch.tensor([6, 0, 3])[:rows], table


@pytest.mark.parametrize("popularity", [0.0, 0.5, 1.0])
def test_the_partition_function_is_estimated_without_bias(popularity):
    hidden, _, table = (part.double() for part in example(1))
    targets = torch.tensor([3])
    scores = (hidden @ table.T)[0]
    loss = loss_of(4, popularity)
    with worlds.seeded():
        draws = torch.stack([loss(hidden, targets, table) for _ in range(4000)])
    estimates = (draws + scores[3]).exp()
    error = estimates.std() / len(estimates) ** 0.5
    assert abs(estimates.mean() - scores.exp().sum()) < 4 * error
    assert error < 0.05 * scores.exp().sum()  # else the test could not fail


def test_it_tends_to_the_full_softmax_as_the_pool_grows():
    hidden, targets, table = example()
    full = functional.cross_entropy(hidden @ table.T, targets)
    with worlds.seeded():
        small, large = (
            np.mean([abs(loss_of(size)(hidden, targets, table) - full) for _ in range(20)])
            for size in (16, 16_000)
        )
    assert large < 0.02 < small


def test_its_gradient_tends_to_that_of_the_full_softmax():
    hidden, targets, table = example()
    table.requires_grad_()
    wanted = torch.autograd.grad(functional.cross_entropy(hidden @ table.T, targets), table)
    with worlds.seeded():
        found = torch.autograd.grad(loss_of(50_000)(hidden, targets, table), table)
    torch.testing.assert_close(found, wanted, atol=0.02, rtol=0.0)


def test_a_target_that_is_drawn_by_accident_is_no_negative():
    counts = np.array([10**15, 0])  # whatever is drawn, is item 0
    hidden, table = torch.ones(2, WIDTH), torch.ones(2, WIDTH)
    loss = loss_of(8, 1.0, counts)
    with worlds.seeded():
        assert loss(hidden[:1], torch.tensor([0]), table) == 0
        # Item 0 as the only negative of item 1: Z = e^4 + e^4 / share, with a share of 1.
        assert loss(hidden[:1], torch.tensor([1]), table).item() == pytest.approx(math.log(2), abs=1e-5)


def test_popularity_is_how_often_an_item_is_drawn():
    size = 20_000
    table = torch.zeros(ITEMS, WIDTH, requires_grad=True)
    with worlds.seeded():
        loss_of(size, 1.0)(torch.ones(1, WIDTH), torch.tensor([0]), table).backward()
    # All scores are 0: the softmax weight of item j, summed over its draws, is near 1 / items if each draw
    # is weighed by 1 / (K q_j), where q_j is (count + 1) / sum.
    torch.testing.assert_close(table.grad[1:, 0], torch.full((ITEMS - 1,), 1 / ITEMS), atol=0.03, rtol=0.0)


def test_the_whole_batch_shares_one_pool():
    hidden, targets, table = example(1)
    with worlds.seeded():
        one = loss_of(5)(hidden, targets, table)
    with worlds.seeded():
        many = loss_of(5)(hidden.expand(9, -1), targets.expand(9), table)
    torch.testing.assert_close(one, many)
