"""What every mechanism between tasks promises; a new file in the folder is tested by existing."""

import pytest
import torch

from intertask.communication import Tells
from tests import worlds
from tests.assertions import (
    assert_batch_composition_ignored,
    assert_causal,
    assert_deterministic_in_eval,
    assert_every_weight_gets_gradient,
    assert_positionwise,
    assert_same,
    assert_task_permutation_equivariant,
)

VARIANTS = worlds.variants("communication")
IN_ORDER = {"aitm"}  # mechanisms in which the order of the tasks means something
WIDTH = 8
TASKS = ("view", "cart", "buy")

every_variant = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())


def built(config, tasks=TASKS):
    with worlds.seeded():
        mechanism = config.build(worlds.dimensions(width=WIDTH, tasks=tasks))
        for weight in mechanism.parameters():  # what starts at zero must not hide a mistake
            if weight.requires_grad:
                torch.nn.init.normal_(weight, std=0.3)
    return mechanism.eval()


def states_of(mechanism, config, hidden):
    return mechanism(*read(config, hidden))


def read(config, hidden):
    """What a mechanism reads: at each position other numbers for the item, that change where these do."""
    return (hidden, 0.5 * hidden.flip(-1)) if config.remembers else (hidden,)


def numbers(seed=0, rows=3, length=4):
    return torch.randn(rows, length, WIDTH, generator=torch.Generator().manual_seed(seed))


@every_variant
def test_there_is_one_finite_state_for_each_position_and_task(config):
    states = states_of(built(config), config, numbers())
    assert states.shape == (3, 4, len(TASKS), WIDTH)
    assert states.isfinite().all()


@every_variant
def test_one_task_works(config):
    states = states_of(built(config, ("buy",)), config, numbers())
    assert states.shape == (3, 4, 1, WIDTH)
    assert states.isfinite().all() and not torch.allclose(states[:, 0], states[:, 1])


@every_variant
def test_a_position_hears_itself_alone_or_what_came_before(config):
    mechanism = built(config)

    def run(hidden):
        return states_of(mechanism, config, hidden)

    if config.remembers:
        assert_causal(run, numbers(), numbers(1))
    else:
        assert_positionwise(run, numbers())


@every_variant
def test_batch_composition_does_not_change_states(config):
    mechanism, hidden, lengths = built(config), numbers(), [4, 1, 2]

    def run(rows):
        longest = max(lengths[row] for row in rows)
        states = states_of(mechanism, config, hidden[rows, :longest])
        return [state[: lengths[row]] for state, row in zip(states, rows, strict=True)]

    assert_batch_composition_ignored(run, len(lengths))


@every_variant
def test_every_weight_gets_a_gradient_and_so_does_what_is_read(config):
    mechanism, hidden = built(config), numbers().requires_grad_()
    states = states_of(mechanism, config, hidden)
    weighted = states * torch.randn(states.shape, generator=torch.Generator().manual_seed(1))
    assert_every_weight_gets_gradient(mechanism, weighted.sum())
    assert (hidden.grad.abs().sum(-1) > 0).all()


@every_variant
def test_what_it_tells_of_the_exchange_is_a_share_of_each_source_and_changes_nothing(config):
    mechanism = built(config)
    if not isinstance(mechanism, Tells):
        return
    heard = mechanism.exchange(*read(config, numbers()))
    assert torch.equal(heard.states_BLTD, states_of(mechanism, config, numbers()))
    assert heard.shares_BLTS.shape == (3, 4, len(TASKS), len(TASKS) + len(mechanism.further))
    assert_same(heard.shares_BLTS.sum(-1), torch.ones(3, 4, len(TASKS)), "shares sum to one")
    assert heard.shares_BLTS.min() >= 0
    assert ((heard.gates_BLT >= 0) & (heard.gates_BLT <= 1)).all() and heard.gates_BLT.shape == (3, 4, 3)


def test_these_mechanisms_tell_whom_a_task_hears():
    told = {config.kind for config in VARIANTS.values() if isinstance(built(config), Tells)}
    assert told == {"adatt", "aitm", "attention", "cross_stitch", "gated_slots", "ple", "stem"}


@every_variant
def test_eval_is_deterministic(config):
    mechanism = built(config)
    assert_deterministic_in_eval(mechanism, lambda: states_of(mechanism, config, numbers()))


@every_variant
def test_the_order_of_the_tasks_means_nothing(config):
    if config.kind not in IN_ORDER:
        assert_task_permutation_equivariant(
            built(config), lambda module: states_of(module, config, numbers()), len(TASKS)
        )
