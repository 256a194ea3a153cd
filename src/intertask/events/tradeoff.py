"""What a list gives to two tasks as the weights between them move, without training anything again."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.sequences import Sequences
from intertask.evaluate.config import HistoryMode
from intertask.evaluate.results import TradeoffRow
from intertask.events.ranking import rank_targets
from intertask.events.systems import ModelSystem
from intertask.metrics.direction import K
from intertask.metrics.ranking import ndcg

WEIGHTS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0)


class Mixed:
    """A model whose tasks all answer with one mixture of the log-probabilities of two."""

    def __init__(self, system: ModelSystem, weights: Mapping[str, float]) -> None:
        self.name = system.name
        self.system = system
        self.weights = weights

    def score(self, task: str, rows: NDArray[np.int64]) -> Tensor:
        """The weighted sum, whoever asks."""
        parts = [
            weight * self.system.model.task(name).log_shares(self.system.score(name, rows))
            for name, weight in self.weights.items()
            if weight
        ]
        return sum(parts[1:], parts[0])


def tradeoff(
    system: ModelSystem,
    first: str,
    second: str,
    sequences: Sequences,
    targets: NDArray[np.int64],
    rows: Mapping[str, NDArray[np.int64]],
    history: HistoryMode,
) -> list[TradeoffRow]:
    """NDCG@10 of both tasks under each mixture.

    Args:
        system: The model, asked about all targets.
        first: A task that ranks items.
        second: Another.
        sequences: All events.
        targets: int64 [targets], places of the target events.
        rows: Which of the targets each of the two is asked about.
        history: Whether items of the history are candidates.
    """
    found = []
    for weight in WEIGHTS:
        mixed = Mixed(system, {first: weight, second: 1 - weight})
        gains = {
            name: float(
                ndcg(rank_targets(mixed, name, sequences, targets, rows[name], history, K).ranks, K).mean()
            )
            for name in (first, second)
        }
        found.append(TradeoffRow(first=first, second=second, history=history, weight=weight, ndcg=gains))
    return found
