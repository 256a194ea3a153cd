import pytest
import torch
from torch import nn

from intertask.train.averaging import Average
from intertask.train.config import TrainConfig
from intertask.train.optimiser import Optimiser


def constant(value):
    module = nn.Linear(2, 1)
    with torch.no_grad():
        for weight in module.parameters():
            weight.fill_(value)
    return module


def test_the_average_is_the_recurrence_with_a_rising_decay():
    module = constant(0.0)
    average, expected = Average(module, 0.5), 0.0
    for step, value in enumerate([1.0, 2.0, -3.0, 5.0]):
        with torch.no_grad():
            module.weight.fill_(value)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
        torch.testing.assert_close(average.weights["weight"], torch.full((1, 2), expected))


def test_the_model_shows_the_average_and_has_its_own_weights_again():
    module = constant(1.0)
    average = Average(module, 0.9)
    average.weights["weight"].fill_(7.0)
    with pytest.raises(RuntimeError, match="validation failed"), average.shown():
        assert module.weight.tolist() == [[7.0, 7.0]]
        raise RuntimeError("validation failed")
    assert module.weight.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("asked_for_at", [(), (3,), range(12)])
def test_the_rows_of_a_sparse_table_are_averaged_as_if_all_were_at_every_step(asked_for_at):
    torch.manual_seed(0)
    table = nn.Embedding(6, 2, sparse=True)
    optimiser, average = Optimiser(table, TrainConfig()), Average(table, 0.9)
    expected = table.weight.detach().clone()
    for step in range(12):
        rows = torch.tensor([step % 5, (3 * step) % 5])
        optimiser.zero_grad()
        (table(rows) * torch.randn(2, 2)).sum().backward()
        optimiser.clip()
        average.before()
        optimiser.step(0.5)
        average.update(step)
        expected.lerp_(table.weight.detach(), 1 - min(0.9, (1 + step) / (10 + step)))
        if step in asked_for_at:
            torch.testing.assert_close(average.weights["weight"], expected)
    torch.testing.assert_close(average.weights["weight"], expected)
    assert not torch.allclose(average.weights["weight"], table.weight.detach(), atol=0.05)


def test_buffers_are_averaged_where_they_are_numbers_and_copied_where_not():
    module = nn.Linear(1, 1)
    module.register_buffer("running", torch.tensor([0.0]))
    module.register_buffer("mask", torch.tensor([0.0, float("-inf")]))
    module.register_buffer("count", torch.tensor(0))
    module.register_buffer("made_anew", torch.tensor(1.0), persistent=False)
    average, expected = Average(module, 0.5), 0.0
    for step, value in enumerate([8.0, -4.0, 2.0]):
        module.running.fill_(value)
        module.count += 1
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    found = average.weights
    assert found["running"].item() == pytest.approx(expected) and found["count"].item() == 3
    assert found["mask"].tolist() == [0.0, float("-inf")] and "made_anew" not in found
    with average.shown():
        assert module.running.item() == pytest.approx(expected)
    assert module.running.item() == 2.0


def test_what_is_frozen_or_a_switch_is_never_averaged():
    module = constant(1.0)
    module.weight.requires_grad_(False)
    average = Average(module, 0.9)
    with torch.no_grad():
        module.weight.fill_(5.0)
        module.bias.fill_(5.0)
    average.update(100)
    assert average.weights["weight"].tolist() == [[5.0, 5.0]]
    assert average.weights["bias"].item() == pytest.approx(1.4)
