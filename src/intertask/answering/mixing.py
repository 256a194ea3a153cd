"""The scores of a ranker for the histories of a request."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.sequences import Sequences
from intertask.data.windows import Windows, cut_out
from intertask.model import Model
from intertask.ranking import History, Ranker
from intertask.signals import Product, Said
from intertask.tasks.next_item import NextItem


@dataclass(frozen=True)
class Mixing:
    """A ranker asked by some histories.

    Args:
        model: In evaluation mode.
        ranker: Its ranker.
        sequences: Where the histories stand.
        windows: Their events, possibly none.
        seen_B: Which of them want nothing of what stands in them.
    """

    model: Model
    ranker: Ranker
    sequences: Sequences
    windows: Windows
    seen_B: NDArray[np.bool_]

    @cached_property
    def histories(self) -> Sequences:
        """All of them, cut out."""
        return cut_out(self.sequences, self.windows)

    def mixes(self, task: str) -> bool:
        """Whether a task has a mixer for one of the histories."""
        return any(self.ranker.mixer(task, history) is not None for history, _ in self._groups())

    def scores(self, task: str, states_BTD: Tensor, known_B: NDArray[np.bool_]) -> Tensor:
        """A task's scores of all items, for the histories that are not empty, float32 [known, items]."""
        found_BI: Tensor | None = None
        places_B = np.cumsum(known_B) - 1  # among the states
        for history, members in self._groups():
            rows = members[known_B[members]]
            mixer = self.ranker.mixer(task, history)
            own_BTD = states_BTD[torch.from_numpy(places_B[rows])]
            if mixer is None:
                scores_BI = logits(self.model, task, own_BTD)
            else:
                read = self.ranker.reads(mixer)
                known = {name: told(self.model, name, own_BTD) for name in read}
                some = (
                    self.histories
                    if len(rows) == len(self.windows)
                    else cut_out(self.sequences, self.windows[rows])
                )
                said = self.ranker.say(mixer, some, known)
                scores_BI = torch.from_numpy(mixer.total(said, some.lengths))
            if len(rows) == len(states_BTD):
                return scores_BI
            if found_BI is None:
                found_BI = scores_BI.new_empty(len(states_BTD), scores_BI.shape[1])
            found_BI[torch.from_numpy(places_B[rows])] = scores_BI
        assert found_BI is not None
        return found_BI

    def _groups(self) -> Iterator[tuple[History, NDArray[np.int64]]]:
        if self.seen_B.any():
            yield "masked", np.flatnonzero(self.seen_B)
        if not self.seen_B.all() or not len(self.seen_B):
            yield "kept", np.flatnonzero(~self.seen_B)


def logits(model: Model, task: str, states_BTD: Tensor) -> Tensor:
    """A task's own scores of all items."""
    with torch.no_grad():
        return model.task(task).score_items(states_BTD[:, model.place(task)]).cpu()


def told(model: Model, task: str, states_BTD: Tensor) -> Said:
    """The same for a mixer, as a product where it is one: a mixer then passes once over all items."""
    head = model.task(task)
    if not isinstance(head, NextItem) or head.temperature is not None:
        return logits(model, task, states_BTD).numpy()
    with torch.no_grad():
        people_BD = head.queries(states_BTD[:, model.place(task)]).cpu().numpy()
        return Product(people_BD, vectors(head.items.weight_ID))


def vectors(weight_ID: Tensor) -> NDArray[np.float32]:
    """The same numbers as an array."""
    return np.asarray(weight_ID.detach().cpu().numpy())
