import pytest
import torch
from torch import nn

from intertask.train import optimiser
from intertask.train.config import TrainConfig


def rates(num_steps, **options):
    config = TrainConfig(learning_rate=1.0, **options)
    return [optimiser.learning_rate(config, step, step / num_steps) for step in range(num_steps)]


def test_a_constant_rate_stays():
    assert rates(3) == [1.0, 1.0, 1.0]


def test_a_warm_up_rises_in_equal_steps_and_never_from_zero():
    assert rates(6, warmup_steps=4) == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_a_cosine_falls_from_the_top_through_one_half():
    found = rates(5, schedule="cosine")
    assert found == pytest.approx([1.0, 0.9045085, 0.6545085, 0.3454915, 0.0954915])


def test_a_warm_up_longer_than_the_run_is_no_error():
    assert rates(2, warmup_steps=8) == [0.125, 0.25]


def test_a_cosine_with_a_warm_up_is_their_product():
    plain, warm = rates(6, schedule="cosine"), rates(6, schedule="cosine", warmup_steps=2)
    assert warm == pytest.approx([0.5 * plain[0], *plain[1:]])


def test_steps_beyond_the_last_keep_a_rate_of_zero():
    config = TrainConfig(learning_rate=1.0, schedule="cosine")
    assert optimiser.learning_rate(config, 9, 5) == 0.0


def test_weight_decay_shrinks_matrices_and_spares_tables_and_biases():
    module = nn.ModuleDict({"linear": nn.Linear(2, 2), "table": nn.Embedding(2, 2), "cell": nn.GRU(2, 2)})
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    for weight in module.parameters():
        weight.grad = torch.zeros_like(weight)
    optimiser.build(module, TrainConfig(learning_rate=0.1, weight_decay=0.5)).step()
    for name, weight in module.named_parameters():
        factor = 0.95 if weight.ndim == 2 and "table" not in name else 1.0
        torch.testing.assert_close(weight.detach(), factor * before[name], msg=name)
