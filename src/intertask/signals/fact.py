"""Fact: a number of each item that is no score, such as its price, for a ranker that reads such."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.signals import Arrays
from intertask.signals._checks import refuse_numbers, refuse_others

LARGEST = 1e30


@dataclass(frozen=True)
class Fact:
    """The same number of an item in every answer.

    Args:
        values_I: float32 [items], finite.
    """

    form: ClassVar[str] = "fact"

    values_I: NDArray[np.float32]

    def say(self, histories: Sequences) -> NDArray[np.float32]:
        """The numbers, [items]."""
        return self.values_I

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The numbers."""
        return {"values": self.values_I}

    @classmethod
    def of(cls, arrays: Arrays, num_items: int, where: str) -> Self:
        """The signal of these arrays."""
        refuse_others(arrays, {"values": ("float32", (num_items,))}, where)
        values = cast("NDArray[np.float32]", arrays["values"])
        refuse_numbers(np.array([np.abs(values).max(initial=0)]), [0], [LARGEST], f"{where} values")
        return cls(values)

    def after(self, log: Sequences, new: NDArray[np.bool_]) -> Self:
        """The same: trees learned what it meant when they were trained."""
        return self

    def grown(self, num_items: int) -> Self:
        """With items of which it says what holds in the mean of the others."""
        mean = self.values_I.mean(dtype=np.float64) if len(self.values_I) else 0.0
        further = np.full(num_items - len(self.values_I), mean, np.float32)
        return replace(self, values_I=np.append(self.values_I, further))
