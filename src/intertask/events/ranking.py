"""Ranks of targets among all items, streamed; the lists that would have been served.

A rank is 1 + the number of other candidates whose score is not below the target's: ties count against
the model, so a constant score is worst, never best.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.sequences import Sequences
from intertask.data.windows import histories_before
from intertask.errors import TrainingError
from intertask.evaluate.config import HistoryMode
from intertask.events.systems import System
from intertask.nn.best import best_items
from intertask.terminal.progress import bar

SCORES_IN_MEMORY = 2**22  # 16 MiB of float32


@dataclass(frozen=True)
class Ranking:
    """Ranks of one system for one task.

    Args:
        rows: int64 [n], which of the targets were ranked.
        ranks: int64 [n], 1 for the best place.
        lists: int32 [n, k], the items of the first places, best first; -1 where there are fewer.
    """

    rows: NDArray[np.int64]
    ranks: NDArray[np.int64]
    lists: NDArray[np.int32]


def rank_targets(
    system: System,
    task: str,
    sequences: Sequences,
    targets: NDArray[np.int64],
    rows: NDArray[np.int64],
    history: HistoryMode,
    length: int,
) -> Ranking:
    """The ranks of some targets.

    Args:
        system: Made for `targets`.
        task: Whose head is asked.
        sequences: All events.
        targets: int64 [targets], places of the target events.
        rows: Which of them.
        history: Whether items of the history are candidates.
        length: Of the lists.

    Raises:
        TrainingError: A score is not a number.
    """
    items = torch.from_numpy(sequences.items[targets].astype(np.int64))
    length = min(length, sequences.num_items)
    size = max(1, SCORES_IN_MEMORY // sequences.num_items)
    ranks, lists = np.empty(len(rows), np.int64), np.full((len(rows), length), -1, np.int32)
    with bar(f"ranking, {system.name}, {task}", len(rows)) as move:
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            scores_BI = system.score(task, part).cpu()
            if history == "masked":
                _mask(scores_BI, sequences, targets[part])
            here = slice(start, start + len(part))
            ranks[here] = _ranks(scores_BI, items[torch.from_numpy(part)], system.name, task)
            lists[here] = _lists(scores_BI, length)
            move(len(part))
    return Ranking(rows, ranks, lists)


def _ranks(scores_BI: Tensor, items_B: Tensor, system: str, task: str) -> NDArray[np.int64]:
    own_B1 = scores_BI.gather(1, items_B[:, None])
    # NaN compares false with everything and would rank first.
    if own_B1.isnan().any() or scores_BI.sum().isnan():
        raise TrainingError(f"scores of {system}, task {task!r}", "numbers", "NaN", "train it again")
    ranks: NDArray[np.int64] = (scores_BI >= own_B1).sum(1).numpy()
    return ranks


def _lists(scores_BI: Tensor, length: int) -> NDArray[np.int32]:
    values_BK, items_BK = best_items(scores_BI, length)
    items = torch.where(values_BK == float("-inf"), -1, items_BK)
    return items.numpy().astype(np.int32)


def _mask(scores_BI: Tensor, sequences: Sequences, targets: NDArray[np.int64]) -> None:
    windows = histories_before(sequences, targets)
    rows = np.repeat(np.arange(len(targets)), windows.lengths)
    items = sequences.items[windows.places()].astype(np.int64)
    scores_BI[torch.from_numpy(rows), torch.from_numpy(items)] = float("-inf")


def hide(hidden_BI: NDArray[np.bool_], histories: Sequences) -> None:
    """Mark the items of each history."""
    rows = np.repeat(np.arange(histories.num_users), histories.lengths)
    hidden_BI[rows, histories.items] = True


def visited(sequences: Sequences, targets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each target's item stands in its history."""
    users = sequences.users_of(targets)
    # The first event of each user and item; a target that is not the first has been visited before.
    owners = np.repeat(np.arange(sequences.num_users), sequences.lengths)
    pairs = owners * np.int64(sequences.num_items) + sequences.items
    unique, first = np.unique(pairs, return_index=True)
    own = users * np.int64(sequences.num_items) + sequences.items[targets]
    seen: NDArray[np.bool_] = first[np.searchsorted(unique, own)] < targets
    return seen
