import pytest
import torch

from intertask.balance.gradnorm import Config

WEIGHTS = {"buy": 1.0, "like": 1.0}


def run(steps, asymmetry, slopes=(10.0, 1.0), weights=None):
    """Two losses that are straight lines, ten times as steep one as the other."""
    balance = Config(learning_rate=0.01, asymmetry=asymmetry).build(weights or WEIGHTS, WEIGHTS)
    trunk = torch.ones(1, requires_grad=True)
    for _ in range(steps):
        balance.backward({n: s * trunk.sum() for n, s in zip(WEIGHTS, slopes, strict=True)}, trunk)
    return balance, trunk


def test_both_push_equally_hard_in_the_end():
    balance, _ = run(500, asymmetry=0.0)
    assert balance.weights_T.tolist() == pytest.approx([2 / 11, 20 / 11], abs=0.04)


def test_twice_the_weight_is_twice_the_push():
    balance, _ = run(500, asymmetry=0.0, weights={"buy": 2.0, "like": 1.0})
    assert balance.weights_T.tolist() == pytest.approx([2 / 6, 10 / 6], abs=0.04)


def test_the_trunk_gets_the_weighted_sum():
    balance, trunk = run(1, asymmetry=0.0)
    assert trunk.grad.item() == pytest.approx(10 + 1)  # of the weights before the step
    assert balance.weights_T.sum().item() == pytest.approx(2)


def test_a_task_that_lags_pushes_harder():
    balance = Config(learning_rate=0.01, asymmetry=1.0).build(WEIGHTS, WEIGHTS)
    trunk = torch.ones(1, requires_grad=True)
    for level in (1.0, *[0.5] * 500):  # "buy" falls to half at once, "like" stays; both as steep
        balance.backward({"buy": trunk.sum() - 1 + level, "like": trunk.sum()}, trunk)
    pushes = balance.weights_T.tolist()
    assert pushes[1] / pushes[0] == pytest.approx(2, rel=0.1)
