import pytest
import torch

from intertask.balance.entropy import SMALLEST, Config

CONSTANT = {"buy": 5.0, "like": 0.5}


def test_losses_that_are_as_bad_as_a_constant_answer_weigh_the_same():
    losses = {name: torch.tensor(loss, requires_grad=True) for name, loss in CONSTANT.items()}
    total = Config().build({"buy": 1.0, "like": 1.0}, CONSTANT)(losses)
    assert total.item() == pytest.approx(5.0)  # each as large as the largest
    total.backward()
    assert losses["like"].grad == pytest.approx(10 * losses["buy"].grad.item())


def test_known_answer():
    balance = Config().build({"buy": 1.0, "like": 3.0}, CONSTANT)
    found = balance({"buy": torch.tensor(4.0), "like": torch.tensor(0.2)})
    assert found.item() == pytest.approx((4.0 + 3 * 10 * 0.2) / 4)


def test_a_label_that_nearly_never_varies_is_not_multiplied_without_bound():
    losses = {"buy": torch.tensor(0.0), "like": torch.tensor(1.0)}
    found = Config().build({"buy": 1.0, "like": 1.0}, {"buy": 5.0, "like": 1e-9})(losses)
    assert found.item() == pytest.approx(5.0 / SMALLEST / 2)
