"""Sources: what scores items without learning from their order beyond the last ones: by counts or content.

One file a source. Each module holds a frozen `Config` whose `fit` returns a `Source`. Evaluation sets the
model against them as baselines, and a ranker mixes them with it.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.errors import RecipeError
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


@runtime_checkable
class OfBehaviours(Protocol):
    """A source that also tells of the events of one behaviour alone."""

    def signals_of(self) -> Mapping[int, Signal]:
        """What it tells of each behaviour, by its code."""
        ...


class SourceConfig(PluginConfig):
    """The config of a source."""

    @abstractmethod
    def fit(self, training: Sequences, seed: int) -> Source:
        """A source that has seen these events, which are the training part of a split and nothing else."""


class ReadsContent(SourceConfig):
    """The config of a source that reads what the catalogue says of items."""

    def fit(self, training: Sequences, seed: int) -> Source:
        """Nothing: it needs the content.

        Raises:
            RecipeError: Always.
        """
        raise RecipeError(
            f"sources of kind {self.kind!r}",
            "items that are made of content",
            "none",
            'set [items] kind = "content" and give a catalogue',
        )

    @abstractmethod
    def fit_content(self, training: Sequences, content_IF: NDArray[np.float32], seed: int) -> Source:
        """A source that has seen these events.

        Args:
            training: The training part of a split and nothing else.
            content_IF: float32 [items, F], rows of length one; zeros of an item without content.
            seed: For what it draws.
        """


def fitted(
    config: SourceConfig, training: Sequences, content_IF: NDArray[np.float32] | None, seed: int
) -> Source:
    """The source of any config; the content is None where items have none.

    Raises:
        RecipeError: It needs content, or a package that is not installed.
    """
    if isinstance(config, ReadsContent) and content_IF is not None:
        return config.fit_content(training, content_IF, seed)
    return config.fit(training, seed)


def check_catalogue(histories: Sequences, num_items: int) -> None:
    """Refuse histories over another catalogue than the source was fitted on.

    Raises:
        ValueError: The numbers of items differ.
    """
    if histories.num_items != num_items:
        raise ValueError(f"histories: expected a catalogue of {num_items} items, found {histories.num_items}")
