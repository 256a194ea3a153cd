import math

import pytest
import torch

from intertask.balance.famo import Config

WEIGHTS = {"buy": 1.0, "like": 1.0}


def test_the_gradient_is_that_of_the_weighted_logarithms():
    balance = Config().build(WEIGHTS, WEIGHTS)
    losses = {"buy": torch.tensor(4.0, requires_grad=True), "like": torch.tensor(0.5, requires_grad=True)}
    balance(losses).backward()
    c = 0.5 / 4 + 0.5 / 0.5
    assert losses["buy"].grad.item() == pytest.approx(0.5 / 4 / c)
    assert losses["like"].grad.item() == pytest.approx(0.5 / 0.5 / c)


def test_the_logits_follow_the_algorithm_of_the_paper():
    balance = Config(learning_rate=0.1, decay=0.01).build(WEIGHTS, WEIGHTS)
    logits = torch.zeros(2, requires_grad=True)
    reference = torch.optim.Adam([logits], lr=0.1, weight_decay=0.01)
    trunk = torch.ones(1, requires_grad=True)
    for before, after in (((4.0, 1.0), (2.0, 0.9)), ((2.0, 0.9), (1.5, 0.8))):
        balance.backward({n: v * trunk.sum() for n, v in zip(WEIGHTS, before, strict=True)}, trunk)
        balance.after_step({n: torch.tensor(v) for n, v in zip(WEIGHTS, after, strict=True)})
        fallen = torch.tensor([math.log(a / b) for a, b in zip(before, after, strict=True)])
        shares = logits.detach().softmax(0)
        logits.grad = (torch.diag(shares) - torch.outer(shares, shares)) @ fallen
        reference.step()
        torch.testing.assert_close(balance.logits_T, logits)
    assert logits[0] < logits[1]  # what fell faster weighs less
