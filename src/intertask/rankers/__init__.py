"""Rankers: one list from what model and sources say, mixed as did best on events that none of them has seen.

One file a ranker. Each module holds a frozen `Config` whose `learn` returns a `Mixer` for one task.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from intertask.options.config import PluginConfig
from intertask.signals import Arrays, Said
from intertask.sources import SourceConfig

NAME = r"[\w .-]{1,100}"  # of a source: it stands in tables and before the names of its arrays
TAKEN = ("intertask", "model alone", "without the model")  # by other rows of those tables
MODEL = "model/"  # before the name of the task whose scores a column holds
ITEM = "item/"  # before the name of a column that is no score, but a fact about items


@dataclass(frozen=True)
class Examples:
    """Events that no source was trained on, with the candidates that the sources found for each.

    Args:
        columns: Names of what is said: "model/TASK" and the sources.
        said_NCK: float32, what each column says of each candidate.
        mask_NC: Which candidates there are.
        target_N: Place of what happened among the candidates, -1 where no source found it.
        lengths_N: Events of each history.
        people_N: Whose events they are.
    """

    columns: tuple[str, ...]
    said_NCK: NDArray[np.float32]
    mask_NC: NDArray[np.bool_]
    target_N: NDArray[np.int64]
    lengths_N: NDArray[np.int64]
    people_N: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.target_N)

    def take(self, rows: NDArray[np.bool_]) -> "Examples":
        """Some of them."""
        return Examples(
            self.columns,
            self.said_NCK[rows],
            self.mask_NC[rows],
            self.target_N[rows],
            self.lengths_N[rows],
            self.people_N[rows],
        )

    def of(self, columns: tuple[str, ...]) -> "Examples":
        """The same with some of the columns."""
        places = [self.columns.index(name) for name in columns]
        return Examples(
            columns, self.said_NCK[..., places], self.mask_NC, self.target_N, self.lengths_N, self.people_N
        )


class Mixer(Protocol):
    """Makes one score of all that is said."""

    @property
    def read(self) -> tuple[str, ...]:
        """Names of all that it was offered, in the order of its arrays."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what it reads of that."""
        ...

    def total(self, said: Mapping[str, Said], lengths_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores of all items, float32 [histories, items], in memory that the caller may overwrite."""
        ...

    def terms(
        self, said: Mapping[str, Said], row: int, length: int, items: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """What each column adds to the scores of some items of one history, [columns, items]."""
        ...

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All that it has learned, by name."""
        ...


class RankerConfig(PluginConfig):
    """The config of a ranker; the model ranks alone unless it is one that mixes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class MixingConfig(RankerConfig):
    """The config of a ranker that mixes the model with sources.

    Args:
        events: At most so many events of each task teach the weights.
        candidates: As many best items of the model and of each source are weighed against each other.

    Attributes:
        reads_items: Whether it reads facts about items beside all scores.
    """

    reads_items: ClassVar[bool] = False
    events: int = Field(default=3_000, ge=30, le=1_000_000)
    candidates: int = Field(default=100, ge=10, le=1_000)

    @property
    @abstractmethod
    def mixed(self) -> Mapping[str, SourceConfig]:
        """The sources beside the model, by name."""

    @abstractmethod
    def learn(self, examples: Examples, seed: int) -> Mixer:
        """What mixes for the events of one task."""

    @abstractmethod
    def restore(self, arrays: Arrays, columns: tuple[str, ...], where: str) -> Mixer:
        """What `arrays` of a mixer are of, whoever wrote them.

        Raises:
            IntertaskError: They are of none.
        """


def quality(examples: Examples, sums_NC: NDArray[np.float32]) -> float:
    """NDCG@10 over all examples; nothing for what no source found. Ties count against it."""
    sums_NC = np.where(examples.mask_NC, sums_NC, np.float32(-np.inf))
    own_N1 = sums_NC[np.arange(len(sums_NC)), np.maximum(examples.target_N, 0)][:, None]
    ranks_N = (sums_NC >= own_N1).sum(1)
    gains_N = np.where((ranks_N <= 10) & (examples.target_N >= 0), 1 / np.log2(ranks_N + 1), 0.0)
    return float(gains_N.mean()) if len(gains_N) else 0.0
