"""Signals: what a source tells a ranker, in few forms that a model folder can hold.

A signal is a number for each item, to be weighed and added up with others, zero where it has nothing to say.
Sources are many and signals four: neighbours of what was had, vectors of people and items, what was had
before, and what holds for everybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self, TypeAlias

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray

from intertask.data.sequences import Sequences

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Product:
    """What is said as a product that is not made yet: of all items it is a pass over their vectors.

    Weighted sums of products over the same vectors need one pass instead of many.

    Args:
        people_BD: float32, a vector of each history.
        vectors_ID: float32, of all items.
    """

    people_BD: NDArray[np.float32]
    vectors_ID: NDArray[np.float32]

    def made(self) -> NDArray[np.float32]:
        """The product, in memory of its own, [histories, items]."""
        people_BD, vectors_ID = torch.from_numpy(self.people_BD), torch.from_numpy(self.vectors_ID)
        # For one history a tenth to a quarter less time than `@`, which takes a quarter less than numpy's.
        made: NDArray[np.float32] = torch.nn.functional.linear(people_BD, vectors_ID).numpy()
        return made


# [histories, items], or [items] for all histories
Said: TypeAlias = scipy.sparse.csr_matrix | NDArray[np.float32] | Product


class Signal(Protocol):
    """What one source says of all items.

    Attributes:
        form: Its name in a model folder.
    """

    form: ClassVar[str]

    def say(self, histories: Sequences) -> Said:
        """What is said to each history, finite; to an empty one as well."""
        ...

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All that it knows, as arrays by name."""
        ...

    @classmethod
    def of(cls, arrays: Arrays, num_items: int, where: str) -> Self:
        """The signal that `arrays` is of, whoever wrote them.

        Raises:
            IntertaskError: They are no such arrays.
        """
        ...

    def after(self, log: Sequences, new: NDArray[np.bool_]) -> Self:
        """The signal once more has happened: `new` marks the events of the log that it has not counted."""
        ...

    def grown(self, num_items: int) -> Self:
        """The signal of so many items, the last of them new: nothing speaks for or against those."""
        ...


def dense(said: Said, num_histories: int) -> NDArray[np.float32]:
    """What is said as an array of its own, float32 [histories, items]."""
    if isinstance(said, Product):
        return said.made()
    if isinstance(said, np.ndarray):
        return np.tile(said, (num_histories, 1)) if said.ndim == 1 else said
    found: NDArray[np.float32] = said.toarray()
    return found


def at(said: Said, row: int, items: NDArray[np.int64]) -> NDArray[np.float32]:
    """What is said to one history of some items."""
    if isinstance(said, Product):
        return np.asarray(said.vectors_ID[items] @ said.people_BD[row])
    if isinstance(said, np.ndarray):
        return said[items] if said.ndim == 1 else said[row, items]
    start, stop = said.indptr[row : row + 2]
    own = np.zeros(said.shape[1], np.float32)
    own[said.indices[start:stop]] = said.data[start:stop]
    return own[items]
