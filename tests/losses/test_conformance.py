"""What every loss over the catalogue promises; a new file in the folder is tested by existing."""

import pytest
import torch

from tests import worlds
from tests.losses.tables import Rows

VARIANTS = worlds.variants("losses")
ITEMS, WIDTH = 6, 8

every_loss = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())


def lost(config, hidden, targets, table):
    with worlds.seeded():
        return config.build(worlds.dimensions(num_items=len(table), width=hidden.shape[1]))(
            hidden, targets, Rows(table)
        )


def example(rows=5):
    random = torch.Generator().manual_seed(0)
    hidden, table = (torch.randn(size, WIDTH, generator=random) for size in (rows, ITEMS))
    return hidden.requires_grad_(), torch.arange(rows) % ITEMS, table.requires_grad_()


@every_loss
def test_a_perfect_answer_loses_nothing_and_its_opposite_much(config):
    table, targets = torch.eye(ITEMS), torch.tensor([3, 0])
    perfect = 100 * (table[targets] - 0.5)  # scores: 50 for the target, -50 for the rest
    assert lost(config, perfect, targets, table) < 1e-6
    assert lost(config, -perfect, targets, table) > 10


@every_loss
def test_a_step_down_the_gradient_raises_the_target_and_lowers_the_loss(config):
    hidden, targets, _ = example()
    table = torch.eye(ITEMS, WIDTH, requires_grad=True)  # no item gains by what another one gains
    loss = lost(config, hidden, targets, table)
    loss.backward()
    assert hidden.grad.isfinite().all() and table.grad.isfinite().all()
    assert ((hidden.grad * table[targets]).sum(1) < 0).all()
    moved = hidden - 0.1 * hidden.grad, targets, table - 0.1 * table.grad
    assert lost(config, *moved) < loss


@every_loss
def test_the_gradient_is_the_slope(config):
    hidden, targets, table = example(2)
    precise = (part.detach().double().requires_grad_() for part in (hidden, table))
    torch.autograd.gradcheck(lambda hidden, table: lost(config, hidden, targets, table), tuple(precise))


@every_loss
def test_the_loss_is_a_mean_and_does_not_grow_with_the_batch(config):
    hidden, targets, table = example()
    few, many = (lost(config, hidden.repeat(times, 1), targets.repeat(times), table) for times in (200, 400))
    torch.testing.assert_close(few, many, rtol=0.05, atol=0.0)


@every_loss
def test_the_value_is_the_same_without_gradients(config):
    example_ = example()
    with torch.no_grad():
        bare = lost(config, *example_)
    assert torch.equal(bare, lost(config, *example_).detach())


@every_loss
def test_absurd_scores_stay_finite(config):
    hidden, targets, table = example()
    assert lost(config, 1e6 * hidden, targets, table).isfinite()


@every_loss
def test_two_items_are_enough(config):
    table, targets = torch.eye(2), torch.tensor([1])
    assert lost(config, torch.zeros(1, 2), targets, table) > 0.05
