"""The smallest kind of samples: rows of numbers, a place for each, and a class to tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from intertask.answers import Answer
from intertask.answers.category import Category
from intertask.data.seam import INPUT, Batch, Fields, Target
from intertask.inputs import Embedded, InputConfig
from intertask.inputs import Input as AnyInput
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import Items, ItemTable
from intertask.nn.layout import Layout
from intertask.tasks import Task, TaskConfig


@dataclass(frozen=True)
class Numbers:
    """Numbers of each row, padded with zeros."""

    values_BL: Tensor
    lengths_B: Tensor

    def to(self, device: torch.device) -> "Numbers":
        return Numbers(self.values_BL.to(device), self.lengths_B.to(device))


@dataclass(frozen=True)
class Classes:
    """A class for each row, -1 where it is not known."""

    classes_B: Tensor

    def to(self, device: torch.device) -> "Classes":
        return Classes(self.classes_B.to(device))


class NumbersConfig(InputConfig):
    kind: Literal["numbers"] = "numbers"

    def build(self, dimensions: Dimensions, items: ItemTable | None) -> "NumbersInput":
        return NumbersInput(dimensions)


class NumbersInput(AnyInput):
    """A number times the vector of its place, and a bias of the place."""

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(dimensions.max_length, dimensions.width))
        self.bias = nn.Parameter(torch.randn(dimensions.max_length, dimensions.width))

    def forward(self, fields: Fields) -> Embedded:
        assert isinstance(fields, Numbers)
        length = fields.values_BL.shape[1]
        hidden_BLD = fields.values_BL.unsqueeze(-1) * self.weight[:length] + self.bias[:length]
        return Embedded(hidden_BLD, Layout(lengths_B=fields.lengths_B, causal=False))


class ClassConfig(TaskConfig):
    needs_causal: ClassVar[bool] = False
    reads_items: ClassVar[bool] = False
    of_rows: ClassVar[bool] = True
    pooled: ClassVar[bool] = True
    kind: Literal["class"] = "class"

    @property
    def answer(self) -> Answer:
        return Category()

    def build(self, name: str, dimensions: Dimensions, items: Items | None) -> "ClassTask":
        return ClassTask(dimensions.width)


class ClassTask(Task):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, 2)

    def loss(self, states: Tensor, target: Target) -> Tensor | None:
        assert isinstance(target, Classes)
        known_B = target.classes_B >= 0
        if not known_B.any():
            return None
        return functional.cross_entropy(self.head(states[known_B]), target.classes_B[known_B])


def batch(
    rows: list[list[float]], labels: Mapping[str, list[int]] | None = None, padding: float = 0.0
) -> Batch:
    """Rows of any lengths, and the classes that are known."""
    longest = max(map(len, rows))
    values = torch.tensor([row + [padding] * (longest - len(row)) for row in rows])
    fields = Numbers(values, torch.tensor([len(row) for row in rows]))
    return Batch(
        {INPUT: fields}, {task: Classes(torch.tensor(given)) for task, given in (labels or {}).items()}
    )
