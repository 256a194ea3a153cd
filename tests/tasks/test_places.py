"""Tasks that read every place of a row: padding, several inputs, labels that are text."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from intertask.inputs import Embedded
from intertask.inputs._several import laid_out
from intertask.nn.layout import Layout
from intertask.tasks._places import PlaceTask
from intertask.tasks._rows import known


def embedded(lengths, length):
    hidden = torch.arange(len(lengths) * length * 2, dtype=torch.float32).view(len(lengths), length, 2)
    return Embedded(hidden, Layout(lengths_B=torch.tensor(lengths), causal=False))


def test_places_are_those_of_the_last_input():
    first, last = embedded([1, 3], 3), embedded([4, 2], 4)
    both = laid_out([first, last])
    span = both.layout.spans[-1]
    states = span.of(both.hidden_BLD)
    assert span.lengths_B.tolist() == [4, 2]
    for row, count in enumerate(span.lengths_B.tolist()):
        assert torch.equal(states[row, :count], last.hidden_BLD[row, :count])


def test_all_places_of_rows_without_padding_are_real():
    assert Layout().real_places_B(torch.ones(2, 5, 2)).tolist() == [5, 5]


def test_none_is_no_label_and_an_empty_text_is_one():
    assert known(np.array(["a", None, ""], object)).tolist() == [True, False, True]


@dataclass(frozen=True)
class Nothing:
    def to(self, device):
        return self


class Head(PlaceTask):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(2, 2)

    def loss_of_places(self, states_BLD: Tensor, lengths_B: Tensor, target: object) -> Tensor:
        return self.head(states_BLD).sum()

    def answer_of_places(self, states_BLD: Tensor, lengths_B: Tensor) -> np.ndarray:
        return np.array(["x"] * len(lengths_B), object)


def test_a_loss_without_lengths_is_refused():
    with pytest.raises(TypeError, match="needs the lengths of rows"):
        Head().loss(torch.ones(1, 2, 2), Nothing())
