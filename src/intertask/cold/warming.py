"""How much the first events of a cold item bring, shown to a model that is not trained again."""

import copy
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.cold.holdout import HoldOut, Targets
from intertask.cold.measures import NATURAL, measured
from intertask.cold.scorer import ModelScorer
from intertask.data.batches import TOKENS
from intertask.data.windows import Windows
from intertask.events.systems import last_states
from intertask.items._warming import BACKGROUND, RIDGE, Before, warm
from intertask.items.content import ContentItems
from intertask.model import Model
from intertask.tasks.next_item import NextItem

SHOWN = (0, 1, 2, 4, 8, 16)
_NUMBERS = 2**22  # of scores in memory
STATES = 2_000  # whose mean square stands for anybody's


@dataclass(frozen=True)
class Known:
    """What warming needs to know of a model.

    Args:
        mean_DD: Mean of q q' over queries of anybody.
        level: Logarithm of the share that items have where they come next, in the mean.
    """

    mean_DD: Tensor
    level: float


def queries(model: Model, task: str, targets: Targets, rows: NDArray[np.int64]) -> Tensor:
    """What the vectors of items are multiplied by at some targets, [rows, D]."""
    windows, longest = targets.windows[rows], model.config.max_length
    recent = Windows(np.maximum(windows.starts, windows.stops - longest), windows.stops)
    times = None if targets.times is None else targets.times[rows]
    states_BTD = last_states(model, targets.sequences, recent, times, TOKENS)
    head = model.task(task)
    assert isinstance(head, NextItem)
    with torch.no_grad():
        return head.queries(states_BTD[:, model.place(task)])


def normalisers(queries_ND: Tensor, vectors_ID: Tensor, which_I: Tensor) -> Tensor:
    """Logarithms of the sums over trained items that make shares of scores, [N]."""
    table = vectors_ID[which_I]
    size = max(1, _NUMBERS // len(table))
    parts = [
        (queries_ND[start : start + size] @ table.T).logsumexp(1) for start in range(0, len(queries_ND), size)
    ]
    return torch.cat(parts) if parts else queries_ND.new_zeros(0)


def known_of(model: Model, task: str, targets: Targets) -> Known:
    """What the warm targets of a part say of a model."""
    rows = np.flatnonzero(~targets.cold)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, STATES).astype(np.int64))]
    own_ND = queries(model, task, targets, rows)
    vectors_ID = _items(model).weight_ID.detach()
    scores_N = (own_ND * vectors_ID[torch.from_numpy(targets.items[rows])]).sum(1)
    shares_N = scores_N - normalisers(own_ND, vectors_ID, torch.from_numpy(targets.warm_I))
    return Known(own_ND.T @ own_ND / len(own_ND), float(shares_N.mean()))


def warming(
    model: Model,
    held: HoldOut,
    task: str,
    *,
    masked: bool,
    background: float = BACKGROUND,
    ridge: float = RIDGE,
) -> pl.DataFrame:
    """NDCG@20 of cold and warm targets after the first events of each tested cold item were shown.

    Cold are here the items with as many events as are shown at most, the same ones in each row.

    Args:
        model: Trained without those items.
        held: The fold.
        task: Which ranks.
        masked: Whether items of a history are no candidates.
        background: As for `warm`.
        ridge: As for `warm`.
    """
    events = held.withheld
    order = np.argsort(events.items, kind="stable")  # by item, each one's in their order of time
    items, starts, counts = np.unique(events.items[order], return_index=True, return_counts=True)
    often = counts >= max(SHOWN)
    members = np.isin(held.test.items, items[often])
    known = known_of(model, task, held.validation)
    rows = []
    for shown in SHOWN:
        own = copy.deepcopy(model).eval()
        if shown:
            places = {
                int(item): order[start : start + shown]
                for item, start in zip(items[often], starts[often], strict=True)
            }
            warm(_items(own), befores(own, task, events, places, known), known.mean_DD, background, ridge)
        found = measured(ModelScorer(own, task), held.test, 1.0, masked=masked)
        ndcg = found.ndcg[:, NATURAL]
        rows.append(
            {
                "events shown": shown,
                "cold NDCG@20": ndcg[members].mean() if members.any() else None,
                "warm NDCG@20": ndcg[~held.test.cold].mean(),
                "targets": int(members.sum()),
            }
        )
    return pl.DataFrame(rows)


def befores(
    model: Model, task: str, events: Targets, places: dict[int, NDArray[np.int64]], known: Known
) -> dict[int, Before]:
    """What was known before the events of each item, and the scores that it should have had."""
    if not places:
        return {}
    rows = np.concatenate(list(places.values()))
    own_ND = queries(model, task, events, rows)
    vectors_ID = _items(model).weight_ID.detach()
    wanted_N = normalisers(own_ND, vectors_ID, torch.from_numpy(events.warm_I)) + known.level
    found, stop = {}, 0
    for item, own in places.items():
        start, stop = stop, stop + len(own)
        found[item] = Before(own_ND[start:stop], wanted_N[start:stop])
    return found


def _items(model: Model) -> ContentItems:
    assert isinstance(model.items, ContentItems)
    return model.items
