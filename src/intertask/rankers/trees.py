"""Trees: a blend, whose best items are ordered again by gradient-boosted trees (LightGBM, LambdaRank)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from intertask.errors import IntertaskError, RecipeError
from intertask.rankers import ITEM, Examples, quality
from intertask.rankers._forest import Forest
from intertask.rankers.blend import Blend
from intertask.rankers.blend import Config as BlendConfig
from intertask.signals import Arrays, Said, at

HELD = 3  # one person of so many judges whether the trees are better than the blend
MOST_CANDIDATES = 10_000


class Config(BlendConfig):
    """Options of the trees, beside those of the blend that finds the items they order.

    They read what the model and each source say of an item, its place in the blend's score, the length of
    the history, and facts about the item: its number of events, its age, the time since its last event, and
    numbers of the catalogue. The blend alone is kept where they do no better on the events of people left
    out.

    Args:
        reordered: As many of the blend's best items are ordered again.
        num_trees: Trees; a request asks all of them about each of these items.
        num_leaves: Leaves of a tree.
        learning_rate: How much each tree adds.
    """

    kind: Literal["trees"] = "trees"  # type: ignore[assignment]
    reads_items: ClassVar[bool] = True
    reordered: int = Field(default=200, ge=10, le=MOST_CANDIDATES)
    num_trees: int = Field(default=60, ge=1, le=1_000)
    num_leaves: int = Field(default=8, ge=2, le=64)
    learning_rate: float = Field(default=0.05, gt=0, le=1)

    def learn(self, examples: Examples, seed: int) -> "Trees":  # type: ignore[override]
        """The blend, and trees where they are better than it."""
        scored, facts = _parted(examples.columns)
        examples = examples.of((*scored, *facts))
        blend = super().learn(examples.of(scored), seed)
        held_N = examples.people_N % HELD == 0
        inside, outside = examples.take(~held_N), examples.take(held_N)
        forest = Forest.empty()
        if (inside.target_N >= 0).any() and len(outside):
            tried_blend = super().learn(inside.of(scored), seed)
            tried = Trees(tried_blend, self._grown(tried_blend, inside, seed), self.reordered, facts)
            before = quality(outside, _totals(tried_blend, outside))
            if quality(outside, tried.again(outside)) > before:
                forest = self._grown(blend, examples, seed)
        return Trees(blend, forest, self.reordered, facts)

    def _grown(self, blend: Blend, examples: Examples, seed: int) -> Forest:
        try:
            import lightgbm
        except ImportError:
            raise RecipeError(
                "[ranker] trees",
                "the package lightgbm",
                "no such package",
                "run `pip install intertask[trees]`",
            ) from None
        rows = [row for row in range(len(examples)) if examples.target_N[row] >= 0]
        facts, labels, sizes = [], [], []
        for row in rows:
            pool = _pool(blend, examples, row, self.reordered)
            label = (pool == examples.target_N[row]).astype(np.int32)
            if not label.any():
                continue
            facts.append(_facts(blend, examples.said_NCK[row, pool].T, int(examples.lengths_N[row])))
            labels.append(label)
            sizes.append(len(pool))
        if not sizes:
            return Forest.empty()
        options = {
            "objective": "lambdarank",
            "num_leaves": self.num_leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": 20,
            "lambda_l2": 10.0,
            "verbose": -1,
            "seed": seed % 2**31,
            "deterministic": True,
            "num_threads": 1,
            "zero_as_missing": False,
            "use_missing": False,
        }
        data = lightgbm.Dataset(np.concatenate(facts), np.concatenate(labels), group=sizes)
        booster = lightgbm.train(options, data, self.num_trees)
        return Forest.of_lightgbm(booster.dump_model())

    def restore(self, arrays: Arrays, columns: tuple[str, ...], where: str) -> "Trees":  # type: ignore[override]
        """The blend and the trees of these arrays."""
        return Trees.of(arrays, columns, where)


@dataclass(frozen=True)
class Trees:
    """A blend, and trees that order its best items again.

    Args:
        blend: Finds the items, and orders all that the trees are not asked about.
        forest: The trees; none where the blend is as good.
        reordered: How many items they are asked about.
        facts: Names of what the trees read of items beside all that the blend reads.
    """

    blend: Blend
    forest: Forest
    reordered: int
    facts: tuple[str, ...] = ()

    @property
    def read(self) -> tuple[str, ...]:
        """Names of what is said, and of facts."""
        return (*self.blend.read, *self.facts)

    @property
    def columns(self) -> tuple[str, ...]:
        """All of it, where there are trees."""
        return self.blend.columns if self.forest.is_empty else self.read

    def total(self, said: Mapping[str, Said], lengths_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """The blend's sums; its best items stand above all others, by the trees."""
        total_BI = self.blend.total(said, lengths_B)
        if self.forest.is_empty:
            return total_BI
        most = min(self.reordered, total_BI.shape[1])
        for row in range(len(total_BI)):
            pool = np.argpartition(-total_BI[row], most - 1)[:most]
            told_KN = np.stack([at(said[name], row, pool) for name in self.read])
            own = self.forest.say(_facts(self.blend, told_KN, int(lengths_B[row])))
            total_BI[row, pool] = total_BI[row].max() + own - own.min()
        return total_BI

    def terms(
        self, said: Mapping[str, Said], row: int, length: int, items: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """What each column adds to the blend, which found the items."""
        known = self.blend.terms(said, row, length, items)
        places = {name: place for place, name in enumerate(self.blend.columns)}
        nothing = np.zeros(len(items), np.float32)
        return np.stack([known[places[name]] if name in places else nothing for name in self.columns])

    def again(self, examples: Examples) -> NDArray[np.float32]:
        """Scores of the candidates of examples, [N, C]."""
        scores_NC = _totals(self.blend, examples)
        for row in range(len(examples)):
            pool = _pool(self.blend, examples, row, self.reordered)
            if len(pool):
                told_KN = examples.said_NCK[row, pool].T
                own = self.forest.say(_facts(self.blend, told_KN, int(examples.lengths_N[row])))
                scores_NC[row, pool] = scores_NC[row].max() + own - own.min()
        return scores_NC

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Those of the blend and of the trees."""
        numbers = {"reordered": np.array([self.reordered], np.int64)}
        return {**self.blend.arrays(), **self.forest.arrays(), **numbers}

    @classmethod
    def of(cls, arrays: Arrays, columns: tuple[str, ...], where: str) -> Self:
        """The mixer of these arrays.

        Raises:
            IntertaskError: They are of none.
        """
        own = ("edges", "weights")
        scored, facts = _parted(columns)
        blend = Blend.of({name: array for name, array in arrays.items() if name in own}, scored, where)
        reordered = arrays.get("reordered")
        if reordered is None or reordered.dtype != np.int64 or reordered.shape != (1,):
            raise IntertaskError(f"{where} reordered", "int64 [1]", "another array, or none")
        most = int(cast("NDArray[np.int64]", reordered)[0])
        if not 10 <= most <= MOST_CANDIDATES:
            raise IntertaskError(f"{where} reordered", f"10 to {MOST_CANDIDATES}", str(most))
        rest = {name: array for name, array in arrays.items() if name not in (*own, "reordered")}
        return cls(blend, Forest.of(rest, len(columns) + 2, where), most, facts)


def _parted(columns: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that hold scores, and those that hold facts about items."""
    facts = tuple(name for name in columns if name.startswith(ITEM))
    return tuple(name for name in columns if name not in facts), facts


def _totals(blend: Blend, examples: Examples) -> NDArray[np.float32]:
    own_NK1 = blend.weights_of(examples.lengths_N)[:, :, None]
    scores_NCK = examples.said_NCK[..., : len(blend.read)]  # facts stand behind them
    return np.asarray((scores_NCK @ own_NK1)[..., 0])


def _pool(blend: Blend, examples: Examples, row: int, most: int) -> NDArray[np.int64]:
    """Candidates that the trees are asked about: the best by the blend."""
    own_K = blend.weights_of(examples.lengths_N[row : row + 1])[0]
    said_CK = examples.said_NCK[row, :, : len(own_K)]
    scores = np.where(examples.mask_NC[row], said_CK @ own_K, -np.inf)
    order = np.argsort(-scores, kind="stable")[:most]
    return np.asarray(order[scores[order] > -np.inf])


def _facts(blend: Blend, told_KN: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """What trees read of some items: what is said, facts, how far below the best it is, the length."""
    own_K = blend.weights_of(np.array([length]))[0]
    total_N = own_K @ told_KN[: len(own_K)]
    behind_N = total_N.max(initial=-np.inf) - total_N
    lengths_N = np.full(told_KN.shape[1], np.log1p(length))
    return np.stack([*told_KN, behind_N, lengths_N], axis=1).astype(np.float32)
