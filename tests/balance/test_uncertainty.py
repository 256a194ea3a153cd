import math

import pytest
import torch

from intertask.balance.uncertainty import Config

WEIGHTS = {"buy": 1.0, "like": 3.0}


def test_known_answer():
    balance = Config().build(WEIGHTS, WEIGHTS)
    with torch.no_grad():
        balance.log_variances.copy_(torch.tensor([math.log(2.0), 0.0]))
    found = balance({"buy": torch.tensor(4.0), "like": torch.tensor(1.0)})
    assert found.item() == pytest.approx((4 / 2 + math.log(2) / 2 + 3) / 4)


def test_a_noise_comes_to_rest_at_twice_its_loss():
    balance = Config(learning_rate=0.05).build({"buy": 1.0}, {"buy": 1.0})
    trunk = torch.ones(1, requires_grad=True)
    for _ in range(500):
        balance.backward({"buy": 3.0 * trunk.sum()}, trunk)
    assert balance.log_variances.exp().item() == pytest.approx(6.0, rel=0.01)
