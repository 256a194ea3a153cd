import pytest
import torch

from intertask.nn.layout import Layout
from intertask.nn.recurrent import CELLS, RecurrentStack
from tests.worlds import seeded


@pytest.mark.parametrize("cell", CELLS)
def test_a_layer_that_says_nothing_leaves_what_it_read(cell):
    with seeded():
        stack = RecurrentStack(cell, 4, 2, 0.0)
        hidden = torch.randn(2, 3, 4)
    for weight in stack.layers.parameters():
        torch.nn.init.zeros_(weight)
    torch.testing.assert_close(stack(hidden, Layout(None, None)), stack.norm(hidden))
