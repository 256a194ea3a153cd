"""The assertions themselves: each refuses a module that was broken on purpose."""

import pytest
import torch
from torch import nn

from tests import assertions
from tests.worlds import seeded

WIDTH = 4


def numbers(seed, *shape):
    return torch.randn(*(shape or (3, 5, WIDTH)), generator=torch.Generator().manual_seed(seed))


def looks_ahead(hidden):
    return hidden + 0.1 * hidden.roll(-1, dims=1)


def sums_the_past(hidden):
    return hidden.cumsum(1)


def test_assert_causal_refuses_an_encoder_that_looks_ahead():
    assertions.assert_causal(sums_the_past, numbers(0), numbers(1))
    with pytest.raises(AssertionError, match="before a change"):
        assertions.assert_causal(looks_ahead, numbers(0), numbers(1))


def test_assert_causal_refuses_an_encoder_that_reads_nothing():
    with pytest.raises(AssertionError, match="never noticed"):
        assertions.assert_causal(torch.zeros_like, numbers(0), numbers(1))


def test_assert_looks_back_refuses_an_encoder_without_memory():
    assertions.assert_looks_back(sums_the_past, numbers(0), numbers(1))
    with pytest.raises(AssertionError, match="forgotten"):
        assertions.assert_looks_back(torch.tanh, numbers(0), numbers(1))


def test_assert_positionwise_refuses_memory():
    assertions.assert_positionwise(lambda hidden: hidden[:, :, None].expand(-1, -1, 2, -1), numbers(0))
    with pytest.raises(AssertionError):
        assertions.assert_positionwise(lambda hidden: hidden.cumsum(1)[:, :, None], numbers(0))


def test_assert_padding_ignored_refuses_a_mean_over_the_padding():
    lengths = torch.tensor([5, 2, 3])
    assertions.assert_padding_ignored(sums_the_past, numbers(0), lengths, numbers(1))
    with pytest.raises(AssertionError, match="other padding"):
        assertions.assert_padding_ignored(
            lambda hidden: hidden - hidden.mean(1, keepdim=True), numbers(0), lengths, numbers(1)
        )


@pytest.mark.parametrize("mixed", [0, 1])
def test_assert_batch_composition_ignored_refuses_a_mean_over_the_batch(mixed):
    lengths, hidden = [5, 2, 3], numbers(0)

    def run(rows):
        padded = hidden[rows]
        states = padded - mixed * padded.mean(0)
        return [state[: lengths[row]] for state, row in zip(states, rows, strict=True)]

    if not mixed:
        assertions.assert_batch_composition_ignored(run, 3)
        return
    with pytest.raises(AssertionError, match="alone"):
        assertions.assert_batch_composition_ignored(run, 3)


def test_assert_every_weight_gets_gradient_names_the_dead_one():
    with seeded():
        module = nn.ModuleDict({"used": nn.Linear(WIDTH, 1), "dead": nn.Linear(WIDTH, 1)})
    with pytest.raises(AssertionError, match=r"dead\.weight"):
        assertions.assert_every_weight_gets_gradient(module, module["used"](numbers(0)).sum())
    assertions.assert_every_weight_gets_gradient(module["used"], module["used"](numbers(0)).sum())


def test_assert_deterministic_in_eval_refuses_dropout_that_never_ends():
    module = nn.Dropout(0.5)
    assertions.assert_deterministic_in_eval(module, lambda: module(numbers(0)))
    with seeded(), pytest.raises(AssertionError):
        assertions.assert_deterministic_in_eval(module, lambda: nn.functional.dropout(numbers(0)))


def test_assert_task_permutation_equivariant_refuses_a_favoured_task():
    class Own(nn.Module):
        def __init__(self, favour):
            super().__init__()
            self.weight = nn.Parameter(numbers(1, 3, WIDTH))
            self.favour = favour

        def forward(self, hidden):
            scale = torch.tensor([1.0 + self.favour, 1.0, 1.0])[:, None]
            return hidden[:, :, None] * self.weight * scale

    assertions.assert_task_permutation_equivariant(Own(0.0), lambda module: module(numbers(0)), 3)
    with pytest.raises(AssertionError, match="another order"):
        assertions.assert_task_permutation_equivariant(Own(0.5), lambda module: module(numbers(0)), 3)
