"""What every balance promises; a new file in the folder is tested by existing."""

import pytest
import torch

from tests import worlds

VARIANTS = worlds.variants("balance")
every_balance = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
WEIGHTS, CONSTANT = {"buy": 1.0, "like": 3.0}, {"buy": 5.0, "like": 0.5}


@every_balance
def test_a_missing_task_does_not_raise_the_share_of_the_others(config):
    balance = config.build(WEIGHTS, CONSTANT)
    shares = []
    for present in (("buy", "like"), ("buy",)):
        losses = {name: torch.tensor(2.0, requires_grad=True) for name in present}
        balance(losses).backward()
        shares.append(losses["buy"].grad)
    assert shares[0] == shares[1]


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
