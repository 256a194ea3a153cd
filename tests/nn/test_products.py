import pytest
import torch

from intertask.nn import products

SHAPES = [(1, 1, 1), (5, 3, 7), (64, 16, 300)]


@pytest.fixture(autouse=True)
def _asked_anew():
    products._linear.cache_clear()
    yield
    products._linear.cache_clear()


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch was built without oneDNN")
@pytest.mark.parametrize("shape", SHAPES)
def test_the_product_is_the_product_whatever_the_memory_order(shape):
    rows, inner, columns = shape
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(size, inner, generator=generator) for size in (rows, columns))
    product = products.onednn(left)
    for other in (right, right.T.contiguous().T):
        torch.testing.assert_close(product(left, other), (left.double() @ right.double().T).float())


def test_it_is_for_float32_alone():
    assert products.onednn(torch.ones(2, 2, dtype=torch.float64)) is None


def wrong_arguments(left, right):
    raise AssertionError("never reached with two")


@pytest.mark.parametrize("operator", [None, wrong_arguments, lambda *given: given[0]])
def test_an_operator_that_is_missing_or_another_is_not_taken(monkeypatch, operator):
    class Operators:
        _linear_pointwise = staticmethod(operator) if operator else None

    monkeypatch.setattr(torch.ops, "mkldnn", Operators)
    assert products.onednn(torch.ones(2, 2)) is None
