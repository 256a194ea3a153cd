import pytest
import torch

from intertask.balance.equal import Config


def test_it_is_the_weighted_mean():
    balance = Config().build({"buy": 1.0, "like": 3.0}, {"buy": 5.0, "like": 0.5})
    assert balance({"buy": torch.tensor(2.0), "like": torch.tensor(10.0)}).item() == pytest.approx(8.0)
