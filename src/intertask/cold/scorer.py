"""A model, and its mixture with sources, as systems that are asked for cold items."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.cold.holdout import Targets
from intertask.data.batches import TOKENS
from intertask.data.windows import Windows, cut_out
from intertask.events.systems import last_states
from intertask.items._raising import raised
from intertask.model import Model
from intertask.ranking import History, Ranker


class ModelScorer:
    """A model, asked after the last event of each history; states are kept."""

    def __init__(self, model: Model, task: str) -> None:
        self.model, self.task = model, task
        self._states: dict[int, Tensor] = {}

    def score(self, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
        """Scores of the task's head, those of cold items raised as in lists."""
        scores_BI = self.logits(self.task, targets, rows)
        self.raise_cold(scores_BI, targets, mixed=False)
        return scores_BI

    def logits(self, task: str, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
        """Scores of a task's head as they are."""
        if id(targets) not in self._states:
            windows, longest = targets.windows, self.model.config.max_length
            recent = Windows(np.maximum(windows.starts, windows.stops - longest), windows.stops)
            self._states = {
                id(targets): last_states(self.model, targets.sequences, recent, targets.times, TOKENS)
            }
        states_BD = self._states[id(targets)][torch.from_numpy(rows), self.model.place(task)]
        with torch.no_grad():
            return self.model.task(task).score_items(states_BD).cpu()

    def raise_cold(self, scores_BI: Tensor, targets: Targets, *, mixed: bool) -> None:
        """Raise the scores of cold items as lists do, in place."""
        cold_I, warm_I = torch.from_numpy(targets.cold_I), torch.from_numpy(targets.warm_I)
        raised(scores_BI, cold_I, warm_I, self.model.config.items.bonus_of_new(mixed=mixed))


class MixtureScorer:
    """The mixture of a model's scores with those of its ranker's sources.

    Args:
        model: Alone.
        ranker: Learned beside it.
        history: Whether items of a history are no candidates.
    """

    def __init__(self, model: ModelScorer, ranker: Ranker, history: History) -> None:
        self.model, self.ranker, self.history = model, ranker, history

    def score(self, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
        """The sums, those of cold items raised as in lists; the model's scores where nothing is mixed."""
        mixer = self.ranker.mixer(self.model.task, self.history)
        if mixer is None:
            return self.model.score(targets, rows)
        logits = {
            task: self.model.logits(task, targets, rows).float().numpy() for task in self.ranker.reads(mixer)
        }
        histories = cut_out(targets.sequences, targets.windows[rows])
        scores_BI = torch.from_numpy(
            mixer.total(self.ranker.say(mixer, histories, logits), histories.lengths)
        )
        self.model.raise_cold(scores_BI, targets, mixed=True)
        return scores_BI
