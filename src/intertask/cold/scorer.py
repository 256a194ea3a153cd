"""A model as a system that is asked for cold items."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.cold.holdout import Targets
from intertask.data.batches import TOKENS
from intertask.data.windows import Windows
from intertask.events.systems import last_states
from intertask.items._raising import raised
from intertask.model import Model


class ModelScorer:
    """A model, asked after the last event of each history; states are kept."""

    def __init__(self, model: Model, task: str) -> None:
        self.model, self.task = model, task
        self._states: dict[int, Tensor] = {}

    def score(self, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
        """Scores of the task's head, those of cold items raised as in lists."""
        if id(targets) not in self._states:
            windows, longest = targets.windows, self.model.config.max_length
            recent = Windows(np.maximum(windows.starts, windows.stops - longest), windows.stops)
            self._states = {
                id(targets): last_states(self.model, targets.sequences, recent, targets.times, TOKENS)
            }
        states_BD = self._states[id(targets)][torch.from_numpy(rows), self.model.place(self.task)]
        with torch.no_grad():
            scores_BI = self.model.task(self.task).score_items(states_BD).cpu()
        cold_I, warm_I = torch.from_numpy(targets.cold_I), torch.from_numpy(targets.warm_I)
        raised(scores_BI, cold_I, warm_I, self.model.config.items.bonus_of_new)
        return scores_BI
