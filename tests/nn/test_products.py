import pytest
import torch

from intertask.nn import products

SHAPES = [(1, 1, 1), (5, 3, 7), (64, 16, 300)]


def matrices(rows, inner, columns, dtype):
    generator = torch.Generator().manual_seed(0)
    return (torch.randn(size, inner, generator=generator, dtype=dtype) for size in (rows, columns))


@pytest.mark.parametrize("often", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_product_is_the_product_whatever_the_memory_order(shape, dtype, often):
    left, right = matrices(*shape, dtype)
    rows, _, columns = shape
    for other in (right, right.T.contiguous().T):
        found = products.times_transposed(left, other, left.new_empty(rows, columns), often=often)
        torch.testing.assert_close(found, (left.double() @ right.double().T).to(dtype))


def test_without_onednn_it_is_written_where_it_may_be(monkeypatch):
    monkeypatch.setattr(products, "_ONEDNN", None)
    left, right = matrices(5, 3, 7, torch.float32)
    place = left.new_empty(5, 7)
    found = products.times_transposed(left, right, place, often=True)
    torch.testing.assert_close(found, left @ right.T)
    assert found.data_ptr() == place.data_ptr()
