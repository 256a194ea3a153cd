"""One list for several tasks: their calibrated probabilities, mixed by weights that come with the request.

Tasks that rank items find the candidates; response tasks judge the best of those. The score of an item is
the weighted sum of log-probabilities, so that weights are exponents and a task of weight zero has no say.
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

    Args:
        weights: Of tasks that rank items, one at least, and of tasks that judge them; zero or more.
    """

    weights: Mapping[str, float]

    def ranking(self, model: Model) -> list[str]:
        """The tasks that find candidates."""
        return [name for name in self.weights if model.config.tasks[name].answer == "items"]

    def mixed(self, by_task: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of log-probabilities, by which candidates are found.

        Where no task that ranks items has a weight, the first of them finds the candidates.
        """
        weights = {name: self.weights[name] for name in by_task}
        if not any(weights.values()):
            weights = dict.fromkeys([next(iter(weights))], 1.0)
        return torch.stack([weight * by_task[name] for name, weight in weights.items()]).sum(0)

    def judged(
        self, model: Model, scores_BI: Tensor, states_BTD: Tensor, known_B: Tensor, least: int
    ) -> Tensor:
        """The scores after the response tasks have had their say on the best candidates; -inf for all others.

        Args:
            model: Whose tasks they are.
            scores_BI: As `mixed`; -inf for what may not be answered.
            states_BTD: Of the histories that are not empty, in order.
            known_B: Which of the histories that are.
            least: As many candidates at least are judged.
        """
        judges = [name for name in self.weights if name not in self.ranking(model)]
        if not judges:
            return scores_BI
        ranked = any(self.weights[name] for name in self.ranking(model))
        judged_BI = torch.full_like(scores_BI, float("-inf"))
        values_BK, items_BK = best_items(scores_BI, min(max(CANDIDATES, least), scores_BI.shape[1]))
        states = iter(states_BTD)
        for row, known in enumerate(known_B.tolist()):
            items_K = items_BK[row][values_BK[row] > float("-inf")]
            total_K = scores_BI[row, items_K] if ranked or not known else torch.zeros(len(items_K))
            if known:
                states_KTD = next(states).expand(len(items_K), -1, -1)
                for name in judges if len(items_K) else []:
                    total_K = total_K + self.weights[name] * self._judgement(model, name, states_KTD, items_K)
            judged_BI[row, items_K] = total_K
        return judged_BI

    def _judgement(self, model: Model, name: str, states_KTD: Tensor, items_K: Tensor) -> Tensor:
        """The log-probability of yes, or how far a value lies above the mean of the candidates."""
        with torch.no_grad():
            answer_K = model.predict(name, states_KTD, items_K.to(states_KTD.device)).cpu()
        if getattr(model.config.tasks[name], "form", "") == "regression":
            spread = answer_K.std(correction=0).clamp(min=1e-6)
            return (answer_K - answer_K.mean()) / spread
        return answer_K.clamp(min=1e-9).log()
