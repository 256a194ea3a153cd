"""What is ranked by: the model under evaluation and the baselines, behind one seam.

A system is made for a list of targets and scores stretches of it. Users x items is never in memory: a
model keeps one state for each target and task, a baseline nothing.
"""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.batches import TOKENS, history_batch, plan
from intertask.data.sequences import Sequences
from intertask.data.windows import Windows, cut_out, histories_before
from intertask.evaluate.config import MODEL
from intertask.events.beside import known_by
from intertask.model import Model
from intertask.sources import Source


class System(Protocol):
    """Scores all items for some of its targets' histories."""

    name: str

    def score(self, task: str, rows: NDArray[np.int64]) -> Tensor:
        """Scores, float32 [rows, items], in memory that the caller may overwrite."""
        ...


class ModelSystem:
    """The model, asked after the last event of each history.

    Args:
        model: In evaluation mode.
        sequences: All events.
        targets: int64 [targets], places of the target events; each has a history.
        tokens: Positions in a batch.
    """

    name = MODEL

    def __init__(
        self, model: Model, sequences: Sequences, targets: NDArray[np.int64], tokens: int = TOKENS
    ) -> None:
        self.model = model
        windows = histories_before(sequences, targets, model.config.max_length)
        times = None if sequences.times is None else sequences.times[targets].astype(np.int64)
        self.states_MTD = last_states(model, sequences, windows, times, tokens)

    def score(self, task: str, rows: NDArray[np.int64]) -> Tensor:
        """Scores of the task's head."""
        states_BD = self.states_MTD[torch.from_numpy(rows), self.model.place(task)]
        with torch.no_grad():
            return self.model.task(task).score_items(states_BD)


class BaselineSystem:
    """A baseline, which gives the same scores for every task.

    Args:
        name: As it stands in the tables.
        ranker: Fitted on the training events.
        sequences: All events.
        targets: int64 [targets], places of the target events.
    """

    def __init__(self, name: str, ranker: Source, sequences: Sequences, targets: NDArray[np.int64]) -> None:
        self.name = name
        self.ranker = ranker
        self.sequences = sequences
        self.windows = histories_before(sequences, targets)

    def score(self, task: str, rows: NDArray[np.int64]) -> Tensor:
        """Scores of the ranker, which knows of no tasks."""
        return torch.from_numpy(self.ranker.score(cut_out(self.sequences, self.windows[rows])))


def last_states(
    model: Model, sequences: Sequences, windows: Windows, query_times: NDArray[np.int64] | None, tokens: int
) -> Tensor:
    """The model's states after each history, [histories, T, D]; histories of like length share a batch."""
    sequences = known_by(model, sequences)
    states_MTD = torch.empty(len(windows), len(model.tasks), model.config.width, device=model.device)
    with torch.no_grad():
        for rows in plan(windows.lengths, tokens, None):
            times = None if query_times is None else query_times[rows]
            batch = history_batch(sequences, windows[rows], times).to(model.device)
            # Without what gradients would need: a fifth of a request's forward pass goes into that.
            with torch.inference_mode():
                states_MTD[torch.from_numpy(rows)] = model.last_states(batch)
    return states_MTD
