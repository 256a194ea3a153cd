"""What every balance promises; a new file in the folder is tested by existing."""

import pytest
import torch

from tests import worlds

VARIANTS = worlds.variants("balance")
every_balance = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
WEIGHTS, CONSTANT = {"buy": 1.0, "like": 3.0}, {"buy": 5.0, "like": 0.5}


@every_balance
def test_a_missing_task_does_not_raise_the_share_of_the_others(config):
    def push(balance, names):
        trunk = torch.ones(1, 1, 2, requires_grad=True)
        losses = {name: trunk[..., place].sum() for place, name in enumerate(WEIGHTS) if name in names}
        balance.backward(losses, trunk)
        return trunk.grad[0, 0, 0]

    balances = [config.build(WEIGHTS, CONSTANT) for _ in range(2)]
    for balance in balances:  # some need to have seen a loss
        push(balance, WEIGHTS)
    torch.testing.assert_close(push(balances[0], WEIGHTS), push(balances[1], ("buy",)))


@every_balance
def test_every_loss_pulls(config):
    losses = {name: torch.tensor(2.0, requires_grad=True) for name in WEIGHTS}
    total = config.build(WEIGHTS, CONSTANT)(losses)
    total.backward()
    assert total.shape == () and all(loss.grad > 0 for loss in losses.values())


@every_balance
def test_a_heavier_task_pulls_more(config):
    losses = {name: torch.tensor(2.0, requires_grad=True) for name in WEIGHTS}
    config.build(WEIGHTS, dict.fromkeys(WEIGHTS, 1.0))(losses).backward()
    assert losses["like"].grad == pytest.approx(3 * losses["buy"].grad.item())


@every_balance
@pytest.mark.parametrize("constant", [0.0, 0.01, 4.0])
def test_one_task_alone_keeps_its_loss(config, constant):
    # A label that never varies loses nothing by a constant answer: its task must still be trained.
    balance = config.build({"like": 7.0}, {"like": constant})
    assert balance({"like": torch.tensor(2.0)}).item() == pytest.approx(2.0)


def small_model(seed=0):
    """Two tasks above a trunk's output, which they share a layer on."""
    with worlds.seeded(seed):
        shared, heads = (
            torch.nn.Linear(4, 4),
            torch.nn.ModuleDict({n: torch.nn.Linear(4, 1) for n in WEIGHTS}),
        )
        trunk = torch.randn(2, 3, 4).requires_grad_()

    def losses(names=tuple(WEIGHTS)):
        state = shared(trunk).tanh()
        return {name: (heads[name](state) - 1).pow(2).mean() for name in names}

    return losses, trunk, [*shared.parameters(), *heads.parameters()]


@every_balance
def test_every_weight_above_the_trunk_gets_a_gradient_and_so_does_its_output(config):
    losses, trunk, weights = small_model()
    total = config.build(WEIGHTS, CONSTANT).backward(losses(), trunk)
    assert total.shape == () and not total.requires_grad
    assert all(weight.grad.abs().max() > 0 for weight in weights)
    assert trunk.grad.shape == trunk.shape and (trunk.grad.abs().sum(-1) > 0).all()


@every_balance
def test_one_task_of_two_may_be_missing(config):
    losses, trunk, _ = small_model()
    config.build(WEIGHTS, CONSTANT).backward(losses(("like",)), trunk)
    assert trunk.grad.isfinite().all() and trunk.grad.abs().max() > 0


@every_balance
def test_a_detached_task_changes_nothing_of_what_the_others_push(config):
    def push(names):
        with worlds.seeded():
            trunk, head = torch.randn(2, 3, 4).requires_grad_(), torch.nn.Linear(4, 1)
        balance = config.build(dict.fromkeys(names, 1.0), dict.fromkeys(names, 1.0))
        for _ in range(20):
            trunk.grad = None
            slopes = {"buy": 10 * trunk[..., 0], "like": trunk[..., 1], "apart": head(trunk.detach())}
            losses = {name: (slopes[name] - 1).pow(2).mean() for name in names}
            balance.backward(losses, trunk)
            if balance.looks_again:
                balance.after_step({name: loss.detach() for name, loss in losses.items()})
        return trunk.grad[..., 0].norm() / trunk.grad[..., 1].norm()

    torch.testing.assert_close(push(("buy", "like", "apart")), push(("buy", "like")))


def pushed(balance, losses, trunk, steps):
    """The trunk's gradient after some epochs of two steps each."""
    for step in range(steps):
        trunk.grad = None
        balance.backward(losses(), trunk)
        if balance.looks_again:
            balance.after_step({name: 0.9 * loss.detach() for name, loss in losses().items()})
        if step % 2:
            balance.after_epoch()
    return trunk.grad


@every_balance
def test_what_was_saved_goes_on_alike(config):
    losses, trunk, _ = small_model()
    balance, other = (config.build(WEIGHTS, CONSTANT) for _ in range(2))
    pushed(balance, losses, trunk, 7)
    other.set_state({name: value.clone() for name, value in balance.state().items()})
    found = [pushed(one, losses, trunk, 3) for one in (balance, other)]
    assert torch.equal(*found)
