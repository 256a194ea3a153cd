"""A list that is not of one kind: unlike items, and not too many that meet a condition."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from intertask.answering.answerer import Answerer, Moments, Ranked
from intertask.answering.objective import Objective
from intertask.answering.rules import Rules
from intertask.errors import RequestError
from intertask.events.requests import Asked
from intertask.options import arguments

POOL = 100  # items that unlike ones are chosen among, or ten times the list
QUOTED = 1_000  # items among which those of a quota are counted, at least


@dataclass(frozen=True)
class Arrangement:
    """How the best items become a list.

    Args:
        diversity: 0 takes the best items; towards 1 each must be unlike those before it.
        quotas: Items, bool [items], and how many of them a list may hold.
    """

    diversity: float = 0.0
    quotas: tuple[tuple[NDArray[np.bool_], int], ...] = ()

    @classmethod
    def read(cls, answerer: Answerer, diversity: object, quota: object) -> "Arrangement":
        """What a request wishes for.

        Raises:
            RequestError: It cannot be, or a condition names a column that is not there.
        """
        expected = "a number of 0 to 1"
        if isinstance(diversity, bool) or not isinstance(diversity, int | float) or not 0 <= diversity <= 1:
            raise RequestError("diversity", expected, arguments.shown(diversity))
        if quota is None:
            return cls(float(diversity))
        if not isinstance(quota, Mapping):
            told = "conditions and counts, as {\"group == 'BAG'\": 2}"
            raise RequestError("quota", told, arguments.shown(quota))
        quotas = [
            (answerer.matching(condition), arguments.whole(count, f"quota {condition!r}", 0, 10**6))
            for condition, count in quota.items()
        ]
        return cls(float(diversity), tuple(quotas))

    def rank(
        self, answerer: Answerer, asked: Asked, aim: str | Objective, rules: Rules, at: Moments
    ) -> Ranked:
        """The lists; the first items of a ranking where nothing is wished for."""
        if not self.diversity and not self.quotas:
            return answerer.rank(asked, aim, rules, at)
        most = max(POOL, 10 * rules.k, QUOTED if self.quotas else 0)
        pools = [answerer.rank(asked, aim, replace(rules, k=most), at)]
        if self.quotas:  # so many that no quota limits that every list can be filled
            limited_I = torch.from_numpy(np.any([members for members, _ in self.quotas], axis=0))
            banned = limited_I if rules.banned_I is None else rules.banned_I | limited_I
            pools.append(answerer.rank(asked, aim, replace(rules, banned_I=banned), at))
        items_BK = np.concatenate([pool.items_BK for pool in pools], axis=1)
        scores_BK = np.concatenate([pool.scores_BK for pool in pools], axis=1)
        chosen = np.full((len(asked), rules.k), -1, np.int64)
        values = np.full((len(asked), rules.k), -np.inf, np.float32)
        for row in range(len(asked)):
            items, scores = _falling(items_BK[row], scores_BK[row])
            picked = self._picked(answerer, items, scores, rules.k)
            chosen[row, : len(picked)], values[row, : len(picked)] = items[picked], scores[picked]
        return Ranked(chosen, values)

    def _picked(
        self, answerer: Answerer, items: NDArray[np.int64], scores: NDArray[np.float32], k: int
    ) -> list[int]:
        """Places in the pool, in the order of the list: by maximal marginal relevance.

        Source: Carbonell and Goldstein, "The use of MMR", SIGIR 1998.
        """
        left = [count for _, count in self.quotas]
        free = np.ones(len(items), bool)
        worth = _between_0_and_1(scores)
        vectors = answerer.directions_ID[items] if self.diversity else np.zeros((len(items), 1), np.float32)
        alike = np.zeros(len(items), np.float32)
        picked: list[int] = []
        while len(picked) < k:
            for (members, _), count in zip(self.quotas, left, strict=True):
                if count <= 0:
                    free &= ~members[items]
            if not free.any():
                break
            gain = np.where(free, (1 - self.diversity) * worth - self.diversity * alike, -np.inf)
            best = int(gain.argmax())
            picked.append(best)
            free[best] = False
            left = [
                count - int(members[items[best]])
                for (members, _), count in zip(self.quotas, left, strict=True)
            ]
            alike = np.maximum(alike, vectors @ vectors[best]) if self.diversity else alike
        return picked


def boosts(answerer: Answerer, given: object) -> torch.Tensor | None:
    """Logarithms of what the probabilities of items are multiplied by, float [items].

    Raises:
        RequestError: It is no table of conditions and factors above zero.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        told = 'conditions and factors, as {"price < 20": 1.5}'
        raise RequestError("boost", told, arguments.shown(given))
    total = np.zeros(len(answerer.reader.items), np.float32)
    for condition, factor in given.items():
        fits = not isinstance(factor, bool) and isinstance(factor, int | float) and 1e-6 <= factor <= 1e6
        if not fits:
            raise RequestError(
                f"boost {condition!r}", "a factor of 0.000001 to 1,000,000", arguments.shown(factor)
            )
        total += np.log(float(factor)) * answerer.matching(condition)
    return torch.from_numpy(total.astype(np.float32))


def _falling(
    items: NDArray[np.int64], scores: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The items that there are, each once, best first."""
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > -np.inf]
    first = np.sort(np.unique(items[order], return_index=True)[1])
    return items[order][first], scores[order][first]


def _between_0_and_1(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """How good each item is: 1 for the best of the pool, 0 for the last."""
    if not len(scores):
        return scores
    spread = float(scores.max() - scores.min())
    return np.asarray((scores - scores.min()) / spread if spread else np.ones_like(scores))
