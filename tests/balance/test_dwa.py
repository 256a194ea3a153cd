import math

import pytest
import torch

from intertask.balance.dwa import Config

WEIGHTS = {"buy": 1.0, "like": 1.0}


def factors(epochs, temperature=2.0):
    balance = Config(temperature=temperature).build(WEIGHTS, WEIGHTS)
    trunk = torch.ones(1, requires_grad=True)
    found = []
    for losses in epochs:
        balance.backward({name: loss * trunk.sum() for name, loss in losses.items()}, trunk)
        balance.after_epoch()
        found.append(balance.factors_T.tolist())
    return found


def test_the_first_two_epochs_weigh_all_alike_and_then_the_slow_one_more():
    one, two, three = factors(
        [{"buy": 4.0, "like": 1.0}, {"buy": 2.0, "like": 1.0}, {"buy": 1.0, "like": 1.0}]
    )
    assert one == pytest.approx([1, 1])
    for found in (two, three):  # ratios 1/2 and 1
        slow, fast = math.exp(1 / 2), math.exp(0.5 / 2)
        assert found == pytest.approx([2 * fast / (slow + fast), 2 * slow / (slow + fast)])


def test_a_task_that_an_epoch_does_not_show_counts_as_standing():
    found = factors([{"buy": 4.0, "like": 1.0}, {"buy": 4.0}, {"buy": 4.0, "like": 0.5}])
    assert found[1] == pytest.approx([1, 1])
    assert found[2][0] > 1 > found[2][1]
