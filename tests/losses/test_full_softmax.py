import math
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from intertask.losses import full_softmax
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


@settings(max_examples=40)
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


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_products_in_bfloat16_lose_little(smoothing):
    hidden, targets, table = example(64, 50, 16, dtype=torch.float32)
    whole = loss_of(24, smoothing)(hidden, targets, table)
    wanted = torch.autograd.grad(whole, (hidden, table))
    with torch.autocast("cpu", torch.bfloat16):
        loss = loss_of(24, smoothing)(hidden, targets, table)
    found = torch.autograd.grad(loss, (hidden, table))
    assert loss.dtype == torch.float32 and all(part.dtype == torch.float32 for part in found)
    assert loss.item() == pytest.approx(whole.item(), rel=2e-2)  # bfloat16 has eight bits: 0.4 % a product
    for part, exact in zip(found, wanted, strict=True):
        assert (part - exact).norm() < 2e-2 * exact.norm()


class Fused(nn.CrossEntropyLoss):
    """What Liger's kernel computes, and how it is called."""

    def __init__(self, label_smoothing, accum_dtype):
        assert accum_dtype == torch.float32
        super().__init__(label_smoothing=label_smoothing)

    def forward(self, lin_weight, _input, target):
        return super().forward(_input @ lin_weight.T, target)


@pytest.mark.parametrize("low", [None, torch.bfloat16])
def test_a_fused_kernel_is_used_where_there_is_one_and_gives_the_same(low, monkeypatch):
    hidden, targets, table = example(32, 40, 8, dtype=torch.float32)
    with torch.autocast("cpu", low or torch.bfloat16, enabled=low is not None):
        own = loss_of(8, 0.1)(hidden, targets, table)
        monkeypatch.setattr(full_softmax, "_fused_cross_entropy", lambda device: Fused)
        fused = loss_of(8, 0.1)(hidden, targets, table)
    torch.testing.assert_close(fused.float(), own, rtol=2e-2 if low else 1e-5, atol=0.0)  # 8 bits, or 24
    for part, other in zip(
        *(torch.autograd.grad(loss, (hidden, table)) for loss in (fused, own)), strict=True
    ):
        assert (part - other).norm() < (2e-2 if low else 1e-5) * other.norm()


def test_no_fused_kernel_is_looked_for_on_a_cpu():
    assert full_softmax._fused_cross_entropy(torch.device("cpu")) is None


LIGER = """
import torch
from torch.nn import functional
from intertask.losses import full_softmax
found = full_softmax._fused_cross_entropy(torch.device("cuda"))
hidden, table = torch.randn(24, 16, requires_grad=True), torch.randn(40, 16, requires_grad=True)
targets = torch.randint(40, (24,))
one = found(label_smoothing=0.1, accum_dtype=torch.float32)(table, hidden, targets)
other = functional.cross_entropy(hidden @ table.T, targets, label_smoothing=0.1)
torch.testing.assert_close(one, other)
for part, wanted in zip(*(torch.autograd.grad(loss, (hidden, table)) for loss in (one, other))):
    torch.testing.assert_close(part, wanted, rtol=1e-4, atol=1e-6)
"""


@pytest.mark.skipif(find_spec("liger_kernel") is None, reason="liger-kernel is an extra, for GPUs")
def test_ligers_kernel_is_cross_entropy():
    # Triton's interpreter runs the kernel without a GPU; it must be chosen before the import.
    words = [sys.executable, "-c", LIGER]
    subprocess.run(words, env=os.environ | {"TRITON_INTERPRET": "1"}, check=True, timeout=120)


def test_in_float32_whole_chunks_are_multiplied_in_one_way_and_the_rest_in_another(monkeypatch):
    shapes, usual = set(), full_softmax.onednn

    def recorded(like):
        product = usual(like)

        def multiplied(left, right):
            shapes.add((tuple(left.shape), tuple(right.shape)))
            return product(left, right)

        return None if product is None else multiplied

    monkeypatch.setattr(full_softmax, "onednn", recorded)
    for rows in (3, 10, 37):
        hidden, targets, table = example(rows, items=20, width=4, dtype=torch.float32)
        wanted = torch.autograd.grad(functional.cross_entropy(hidden @ table.T, targets), (hidden, table))
        found = torch.autograd.grad(loss_of(chunk=10)(hidden, targets, table), (hidden, table))
        torch.testing.assert_close(found, wanted)
    # A kernel is compiled for each shape, so that none may depend on how many targets there are.
    whole = {((10, 4), (20, 4)), ((10, 20), (4, 20)), ((4, 10), (20, 10))}
    assert shapes == (whole if usual(torch.empty(0)) else set())
