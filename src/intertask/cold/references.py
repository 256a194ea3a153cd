"""What needs no sequence model to score an item without events: what any content model has to beat."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.cold.holdout import Targets
from intertask.cold.measures import Scorer
from intertask.cold.mixtures import EaseWithContent
from intertask.data.counts import event_counts, interactions
from intertask.data.sequences import Sequences
from intertask.data.windows import cut_out
from intertask.errors import RecipeError

Floats = NDArray[np.float32]
DECAY = 0.8  # of an event's weight for each event after it
NEIGHBOURS = 20
RIDGE = (0.01, 0.1, 1.0, 10.0)


@dataclass(frozen=True)
class Popularity:
    """Training events of each item: of a cold one none."""

    counts_I: Floats

    def score(self, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
        """The same for all."""
        return torch.from_numpy(np.log1p(self.counts_I)).expand(len(rows), -1).clone()


@dataclass(frozen=True)
class ContentNeighbours:
    """Cosines of an item's content with that of the history, older events counting less.

    Args:
        content_IF: float32, of length one.
        decay: What is left of the weight of an event for each one after it; 0 reads the last event alone.
    """

    content_IF: Floats
    decay: float

    def score(self, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
        """Of all items."""
        windows = targets.windows[rows]
        read = np.zeros((len(rows), self.content_IF.shape[1]), np.float32)
        for row, (start, stop) in enumerate(zip(windows.starts, windows.stops, strict=True)):
            items = targets.sequences.items[max(start, stop - (30 if self.decay else 1)) : stop]
            weights = np.float32(self.decay) ** np.arange(len(items))[::-1]
            read[row] = weights @ self.content_IF[items]
        return torch.from_numpy(read @ self.content_IF.T)


@dataclass(frozen=True)
class Factors:
    """ALS factors, those of cold items made of their content; histories are folded in."""

    users: Callable[[Sequences], Floats]
    items_DI: Floats

    def score(self, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
        """Of all items."""
        return torch.from_numpy(self.users(cut_out(targets.sequences, targets.windows[rows])) @ self.items_DI)


def references(training: Sequences, features_IF: Floats, seed: int) -> dict[str, Scorer]:
    """The references by name; those of ALS where its package is installed.

    Args:
        training: Without cold items.
        features_IF: Content of all items, whitened by what is trained.
        seed: Of ALS.
    """
    counts_I = event_counts(training).astype(np.float32)
    lengths = np.linalg.norm(features_IF, axis=1, keepdims=True).clip(min=1e-9)
    content_IF = np.asarray(features_IF / lengths, np.float32)
    found: dict[str, Scorer] = {
        "popularity": Popularity(counts_I),
        "content to the last": ContentNeighbours(content_IF, 0.0),
        "content to all, decayed": ContentNeighbours(content_IF, DECAY),
    }
    if (mixed := EaseWithContent.fit(training, content_IF)) is not None:
        found["EASE with content"] = mixed
    with suppress(RecipeError):  # an extra that is not installed
        found |= _of_factors(training, content_IF, counts_I > 0, seed)
    return found


def _of_factors(
    training: Sequences, content_IF: Floats, warm_I: NDArray[np.bool_], seed: int
) -> dict[str, Scorer]:
    """Source: Gantner et al., "Learning attribute-to-feature mappings for cold-start", ICDM 2010."""
    from intertask.sources.als import Config

    ranker = Config().fit(training, seed)
    factors_ID = ranker.item_vectors.T.astype(np.float64)

    def users(histories: Sequences) -> Floats:
        rows = np.arange(histories.num_users)
        return np.asarray(ranker.model.recalculate_user(rows, interactions(histories)), np.float32)

    warm, cold = np.flatnonzero(warm_I), np.flatnonzero(~warm_I)
    made = {
        "ridge to ALS": _ridge(content_IF[warm], factors_ID[warm], content_IF[cold]),
        "neighbours to ALS": _neighbours(content_IF[warm], factors_ID[warm], content_IF[cold]),
    }
    found: dict[str, Scorer] = {}
    for name, factors in made.items():
        whole = factors_ID.copy()
        whole[cold] = factors
        found[name] = Factors(users, np.ascontiguousarray(whole.T, dtype=np.float32))
    return found


def _ridge(content: Floats, factors: NDArray[np.float64], asked: Floats) -> NDArray[np.float64]:
    """A linear map, its regularisation chosen on a fifth of the warm items."""
    last = np.arange(len(content)) % 5 == 0

    def fitted(rows: NDArray[np.bool_], penalty: float) -> NDArray[np.float64]:
        known = content[rows].astype(np.float64)
        gram = known.T @ known + penalty * np.eye(known.shape[1])
        return np.asarray(np.linalg.solve(gram, known.T @ factors[rows]))

    errors = [np.square(content[last] @ fitted(~last, penalty) - factors[last]).sum() for penalty in RIDGE]
    return np.asarray(asked @ fitted(np.ones(len(content), np.bool_), RIDGE[int(np.argmin(errors))]))


def _neighbours(content: Floats, factors: NDArray[np.float64], asked: Floats) -> NDArray[np.float64]:
    """The mean of the nearest warm items, by their cosine."""
    made = np.zeros((len(asked), factors.shape[1]))
    for start in range(0, len(asked), 1024):
        cosines = asked[start : start + 1024] @ content.T
        nearest = np.argpartition(-cosines, min(NEIGHBOURS, cosines.shape[1] - 1), axis=1)[:, :NEIGHBOURS]
        weights = np.take_along_axis(cosines, nearest, 1).clip(min=1e-6)
        weights /= weights.sum(1, keepdims=True)
        made[start : start + 1024] = np.einsum("nk,nkd->nd", weights, factors[nearest])
    return made
