"""Constant: what holds for everybody."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.signals import Arrays
from intertask.signals._checks import refuse_numbers, refuse_others


@dataclass(frozen=True)
class Constant:
    """The logarithm of 1 plus a count.

    Args:
        counts: float32 [items].
        half_life: New events after which the old ones count half as much; they always count as much if 0.
    """

    form: ClassVar[str] = "constant"

    counts: NDArray[np.float32]
    half_life: float = 0.0

    @cached_property
    def said_I(self) -> NDArray[np.float32]:  # noqa: N802
        """What is said, made once."""
        return np.log1p(self.counts)

    def say(self, histories: Sequences) -> NDArray[np.float32]:
        """The same to all, [items]."""
        return self.said_I

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The counts and the half life."""
        return {"counts": self.counts, "numbers": np.array([self.half_life], np.float64)}

    @classmethod
    def of(cls, arrays: Arrays, num_items: int, where: str) -> Self:
        """The signal of these arrays."""
        refuse_others(arrays, {"counts": ("float32", (num_items,)), "numbers": ("float64", (1,))}, where)
        refuse_numbers(arrays["numbers"], [0], [1e15], f"{where} numbers")
        counts = cast("NDArray[np.float32]", arrays["counts"])
        refuse_numbers(np.array([counts.min(initial=0)]), [0], [1e12], f"{where} counts")
        return cls(counts, float(arrays["numbers"].tolist()[0]))

    def after(self, log: Sequences, new: NDArray[np.bool_]) -> Self:
        """With the new events counted."""
        more = np.bincount(log.items[new], minlength=len(self.counts))
        kept = np.exp2(-int(new.sum()) / self.half_life) if self.half_life else 1.0
        return replace(self, counts=(kept * self.counts + more).astype(np.float32))

    def grown(self, num_items: int) -> Self:
        """With items that are as popular as the others in the mean: zero would speak against them."""
        level = (
            np.float32(np.expm1(self.said_I.mean(dtype=np.float64))) if len(self.counts) else np.float32(0)
        )
        return replace(self, counts=np.append(self.counts, np.full(num_items - len(self.counts), level)))
