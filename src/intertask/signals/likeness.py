"""Likeness: how like an item's content is what was had."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self, cast

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.signals import Arrays, Product
from intertask.signals._checks import refuse_numbers, refuse_others
from intertask.signals.neighbours import latest


@dataclass(frozen=True)
class Likeness:
    """Cosines of the content of items with the summed content of a history; nothing for an empty one.

    It speaks of items without an event as of all others.

    Args:
        content_IF: float32 [items, F], rows of length one; zeros of an item without content.
        last: How many of the last events speak; all if 0.
    """

    form: ClassVar[str] = "likeness"

    content_IF: NDArray[np.float32]
    last: int

    def say(self, histories: Sequences) -> Product:
        """-1 to 1, [histories, items]."""
        return Product(self.read(histories), self.content_IF)

    def read(self, histories: Sequences) -> NDArray[np.float32]:
        """The direction of what each history had, [histories, F]."""
        own = latest(histories, self.last)
        places = np.arange(own.num_events)
        events = scipy.sparse.csr_matrix(
            (np.ones(own.num_events, np.float32), places, own.offsets), (own.num_users, own.num_events)
        )
        read_BF = np.asarray(events @ self.content_IF[own.items], np.float32)  # [B, N] x [N, F] -> [B, F]
        lengths_B1 = np.linalg.norm(read_BF, axis=1, keepdims=True)
        return np.asarray(read_BF / np.where(lengths_B1 > 1e-6, lengths_B1, np.inf), np.float32)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The content and a number."""
        return {"content": self.content_IF, "numbers": np.array([self.last], np.float64)}

    @classmethod
    def of(cls, arrays: Arrays, num_items: int, where: str) -> Self:
        """The signal of these arrays."""
        refuse_others(
            arrays, {"content": ("float32", (num_items, None)), "numbers": ("float64", (1,))}, where
        )
        refuse_numbers(arrays["numbers"], [0], [1e6], f"{where} numbers")
        content = cast("NDArray[np.float32]", arrays["content"])
        refuse_numbers(np.array([np.abs(content).max(initial=0)]), [0], [1 + 1e-5], f"{where} content")
        return cls(content, int(arrays["numbers"].tolist()[0]))

    def after(self, log: Sequences, new: NDArray[np.bool_]) -> Self:
        """The same: it knows histories and content alone."""
        return self

    def grown(self, num_items: int) -> Self:
        """With items of which nothing is known yet."""
        return replace(
            self, content_IF=np.pad(self.content_IF, ((0, num_items - len(self.content_IF)), (0, 0)))
        )
