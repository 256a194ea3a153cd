"""Sources: what scores items by counting events, and knows nothing of order beyond the last items.

One file a source. Each module holds a frozen `Config` whose `fit` returns a `Source`. Evaluation sets the
model against them as baselines, and a ranker mixes them with it.
"""

from abc import abstractmethod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.options.config import PluginConfig
from intertask.signals import Signal


class Source(Protocol):
    """Scores every item for histories that it may never have seen."""

    def score(self, histories: Sequences) -> NDArray[np.float32]:
        """Scores of every item for each history, [histories, items]; higher is better, all finite."""
        ...

    def signal(self) -> Signal:
        """What it tells a ranker."""
        ...


class SourceConfig(PluginConfig):
    """The config of a source."""

    @abstractmethod
    def fit(self, training: Sequences, seed: int) -> Source:
        """A source that has seen these events, which are the training part of a split and nothing else."""


def check_catalogue(histories: Sequences, num_items: int) -> None:
    """Refuse histories over another catalogue than the source was fitted on.

    Raises:
        ValueError: The numbers of items differ.
    """
    if histories.num_items != num_items:
        raise ValueError(f"histories: expected a catalogue of {num_items} items, found {histories.num_items}")
