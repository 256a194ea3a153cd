import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from intertask.losses.full_softmax import Config
from tests import worlds
from tests.losses.tables import OnRows


def example(rows, items, width, seed=0, dtype=torch.float64):
    random = torch.Generator().manual_seed(seed)
    hidden, table = (torch.randn(size, width, generator=random, dtype=dtype) for size in (rows, items))
    return hidden.requires_grad_(), torch.randint(items, (rows,), generator=random), table.requires_grad_()


def loss_of(chunk, label_smoothing=0.0):
    return OnRows(Config(chunk=chunk, label_smoothing=label_smoothing).build(worlds.dimensions()))


class Largest(TorchDispatchMode):
    """Records the size of the largest tensor that any operation makes."""

    numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple | list) else [made]:
            if isinstance(tensor, torch.Tensor):
                self.numbers = max(self.numbers, tensor.numel())
        return made


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(2, 9),
    st.integers(1, 5),
    st.integers(1, 15),
    st.floats(-3, 3),
    st.sampled_from([0.0, 0.3]),
    st.integers(0, 99),
)
def test_value_and_gradients_are_those_of_cross_entropy_for_any_chunk(
    rows, items, width, chunk, scale, smoothing, seed
):
    hidden, targets, table = example(rows, items, width, seed)
    expected = functional.cross_entropy(hidden @ table.T, targets, label_smoothing=smoothing) * scale
    wanted = torch.autograd.grad(expected, (hidden, table))
    found = loss_of(chunk, smoothing)(hidden, targets, table) * scale
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found, (hidden, table)), wanted)


def test_a_constant_answer_loses_the_logarithm_of_the_catalogue():
    _, targets, table = example(4, 9, 3)
    assert loss_of(3)(torch.zeros(4, 3, dtype=torch.float64), targets, table).item() == pytest.approx(
        math.log(9)
    )


@pytest.mark.parametrize("grad", [True, False])
def test_all_logits_are_never_in_memory(grad):
    rows, items, width, chunk = 256, 400, 4, 8
    hidden, targets, table = example(rows, items, width, dtype=torch.float32)
    with torch.set_grad_enabled(grad), Largest() as record:
        loss = loss_of(chunk)(hidden, targets, table)
        if grad:
            loss.backward()
    assert record.numbers == max(chunk * items, rows * width, items * width)
    with Largest() as record:  # the record does see the logits of one chunk for all
        loss_of(rows)(hidden, targets, table)
    assert record.numbers == rows * items
