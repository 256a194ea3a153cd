"""One list for several tasks: their calibrated probabilities, mixed by weights that come with the request.

Tasks that rank items find the candidates; response tasks judge the best of those. The score of an item is
the weighted sum of log-probabilities, so that weights are exponents and a task of weight zero has no say. A
weight below zero demotes: what will be returned, say.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from intertask.model import Model
from intertask.nn.best import best_items

CANDIDATES = 1_000  # that response tasks judge


@dataclass(frozen=True)
class Objective:
    """What a list is good for.

    Tasks that rank items and have a weight above zero find the candidates. Response tasks judge the best of
    them, and so do weights below zero: an item is demoted among what the others find, and the least likely
    items of the catalogue do not come first.

    Args:
        weights: Of tasks that rank items and of tasks that judge them; none is zero, one is above it.
        finder: The task that finds the candidates where none that ranks items has a weight above zero.
    """

    weights: Mapping[str, float]
    finder: str | None = None

    def ranking(self, model: Model) -> list[str]:
        """The tasks that are asked about all items."""
        own = [name for name in self.weights if model.config.tasks[name].answer.ranks]
        return own if self.finder is None or self.finder in own else [self.finder, *own]

    def found(self, by_task: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of log-probabilities, by which candidates are found: float [B, I]."""
        if self.finder is not None:
            return by_task[self.finder].clone()
        weights = {name: weight for name, weight in self.weights.items() if weight > 0 and name in by_task}
        return torch.stack([weight * by_task[name] for name, weight in weights.items()]).sum(0)

    def judged(
        self,
        model: Model,
        found_BI: Tensor,
        by_task: Mapping[str, Tensor],
        states_BTD: Tensor,
        known_B: Tensor,
        least: int,
    ) -> Tensor:
        """The scores after all tasks have had their say on the best candidates; -inf for all others.

        Args:
            model: Whose tasks they are.
            found_BI: As `found`; -inf for what may not be answered.
            by_task: The log-probabilities of the tasks that rank items.
            states_BTD: Of the histories that are not empty, in order.
            known_B: Which of the histories that are.
            least: As many candidates at least are judged.
        """
        judges = {name: weight for name, weight in self.weights.items() if name not in by_task}
        shares = {name: weight for name, weight in self.weights.items() if name in by_task}
        if not judges and all(weight > 0 for weight in shares.values()):
            return found_BI
        judged_BI = torch.full_like(found_BI, float("-inf"))
        values_BK, items_BK = best_items(found_BI, min(max(CANDIDATES, least), found_BI.shape[1]))
        states = iter(states_BTD)
        for row, known in enumerate(known_B.tolist()):
            items_K = items_BK[row][values_BK[row] > float("-inf")]
            total_K = torch.zeros(len(items_K))
            for name, weight in shares.items():
                total_K += weight * by_task[name][row, items_K]
            if known:
                states_KTD = next(states).expand(len(items_K), -1, -1)
                for name, weight in judges.items() if len(items_K) else ():
                    total_K += _judgement(model, name, weight, states_KTD, items_K)
            elif not shares:
                total_K = found_BI[row, items_K]
            judged_BI[row, items_K] = total_K
        return judged_BI


def _judgement(model: Model, name: str, weight: float, states_KTD: Tensor, items_K: Tensor) -> Tensor:
    """What a response task adds to the scores of candidates.

    Of a binary response the log-probability of yes; of one whose yes is not wanted that of no, which hardly
    changes among items that are all unlikely to get a yes. Of a value how far it lies above the mean of the
    candidates.
    """
    with torch.no_grad():
        answer_K = model.predict(name, states_KTD, items_K.to(states_KTD.device)).cpu()
    if not model.config.tasks[name].answer.probable:
        spread = answer_K.std(correction=0).clamp(min=1e-6)
        return weight * (answer_K - answer_K.mean()) / spread
    wanted_K = answer_K if weight > 0 else 1 - answer_K
    return abs(weight) * wanted_K.clamp(min=1e-9).log()
