"""Ranks of cold and warm targets among all, as a constant is added to the scores of all cold items.

A constant moves cold items against warm ones and knows nothing: it may be chosen, on validation, and what is
better than it has to be told apart from it.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.cold.holdout import Targets
from intertask.errors import TrainingError
from intertask.options.seeds import generator

K = 20
GRID = (
    *(-4.0, -2.0, -1.0, -0.5, -0.25, 0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0, 1.25, 1.5),
    *(1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.5, 4.0, 5.0, 6.0),
)  # standard deviations
NATURAL = GRID.index(0.0)
_NUMBERS = 2**22  # of scores in memory
Floats = NDArray[np.float64]


class Scorer(Protocol):
    """Scores all items for the histories of some targets."""

    def score(self, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
        """Float32 [rows, items]."""
        ...


@dataclass(frozen=True)
class Measured:
    """What came of each target, for every constant of the grid.

    Args:
        ndcg: [targets, constants], NDCG@20.
        hits: [targets, constants], HR@20.
        exposure: [targets, constants], share of the 20 places that cold items have.
        auc: [targets], share of other cold items below a cold target; NaN of a warm one.
    """

    ndcg: Floats
    hits: Floats
    exposure: Floats
    auc: Floats


def spread(scorer: Scorer, targets: Targets) -> float:
    """The standard deviation of a history's scores over warm items, in the mean over histories."""
    rows = np.unique(np.linspace(0, len(targets) - 1, 200).astype(np.int64))
    warm = torch.from_numpy(targets.warm_I)
    return max(1e-9, float(scorer.score(targets, rows)[:, warm].std(1).mean()))


def measured(scorer: Scorer, targets: Targets, unit: float, *, masked: bool) -> Measured:
    """The measures of one system.

    Args:
        scorer: The system.
        targets: Of one part.
        unit: By which the constants of the grid are multiplied.
        masked: Whether items of a history are no candidates.
    """
    size = max(1, _NUMBERS // len(targets.cold_I))
    parts = []
    for start in range(0, len(targets), size):
        rows = np.arange(start, min(len(targets), start + size))
        scores_BI = scorer.score(targets, rows).float()
        if scores_BI.isnan().any():
            raise TrainingError("scores of cold items", "numbers", "NaN")
        if masked:
            _mask(scores_BI, targets, rows)
        if targets.since_I is not None and targets.times is not None:
            later_BI = (targets.since_I > targets.times[rows, None]) & targets.cold_I
            scores_BI.masked_fill_(torch.from_numpy(later_BI), float("-inf"))
        parts.append(_measured(scores_BI, targets, rows, unit))
    return Measured(*(np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES))


_NAMES = ("ndcg", "hits", "exposure", "auc")


def _mask(scores_BI: Tensor, targets: Targets, rows: NDArray[np.int64]) -> None:
    windows = targets.windows[rows]
    owners = np.repeat(np.arange(len(rows)), windows.lengths)
    seen = targets.sequences.items[windows.places()].astype(np.int64)
    scores_BI[torch.from_numpy(owners), torch.from_numpy(seen)] = float("-inf")


def _measured(scores_BI: Tensor, targets: Targets, rows: NDArray[np.int64], unit: float) -> Measured:
    own_B1 = scores_BI.gather(1, torch.from_numpy(targets.items[rows])[:, None])
    warm_BW = scores_BI[:, torch.from_numpy(targets.warm_I)]
    cold_BC = scores_BI[:, torch.from_numpy(targets.cold_I)]
    is_cold = torch.from_numpy(targets.cold[rows])
    constants = [constant * unit for constant in GRID]
    # Ties count against the system; the target itself is the 1 of its rank.
    among_warm, among_cold = (warm_BW >= own_B1).sum(1), (cold_BC >= own_B1).sum(1)
    best_warm, best_cold = (part.topk(min(K, part.shape[1])).values for part in (warm_BW, cold_BC))
    places = min(K, best_warm.shape[1] + best_cold.shape[1])
    ranks, exposure = [], []
    for constant in constants:
        above_warm = (warm_BW >= own_B1 + constant).sum(1)
        above_cold = (cold_BC + constant >= own_B1).sum(1)
        ranks.append(torch.where(is_cold, above_warm + among_cold, among_warm + above_cold))
        merged = torch.cat([best_warm, best_cold + constant], 1).topk(places, dim=1).indices
        exposure.append((merged >= best_warm.shape[1]).double().mean(1))
    ranks_BG = torch.stack(ranks, 1).numpy()
    ndcg = np.where(ranks_BG <= K, 1 / np.log2(1.0 + ranks_BG), 0.0)
    return Measured(
        ndcg,
        (ranks_BG <= K).astype(np.float64),
        torch.stack(exposure, 1).numpy(),
        _auc(own_B1, cold_BC, is_cold),
    )


def _auc(own_B1: Tensor, cold_BC: Tensor, is_cold: Tensor) -> Floats:
    there_BC = cold_BC > float("-inf")  # others are no candidates
    below, same = ((cold_BC < own_B1) & there_BC).sum(1), (cold_BC == own_B1).sum(1) - 1
    share = (below + same / 2).double() / (there_BC.sum(1) - 1).clamp(min=1)
    return np.where(is_cold.numpy(), share.numpy(), np.nan)


class AtRandom:
    """Scores that know nothing: of all items, or of the cold ones of another system.

    Args:
        seed: Of the draws; a target's do not depend on which others are asked for.
        warm: Whose scores warm items have; all are random if left out.
    """

    def __init__(self, seed: int, warm: Scorer | None = None) -> None:
        self.seed, self.warm = seed, warm

    def score(self, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
        """Random numbers, for cold items small ones about the mean of the warm scores."""
        drawn = np.stack([generator(self.seed, f"random {row}").random(len(targets.cold_I)) for row in rows])
        drawn_BI = torch.from_numpy(drawn.astype(np.float32))
        if self.warm is None:
            return drawn_BI
        scores_BI = self.warm.score(targets, rows)
        warm = scores_BI[:, torch.from_numpy(targets.warm_I)]
        cold = torch.from_numpy(targets.cold_I)
        # A constant: the noise only decides between cold items.
        scores_BI[:, cold] = warm.mean(1, keepdim=True) + 1e-3 * warm.std() * drawn_BI[:, cold]
        return scores_BI
