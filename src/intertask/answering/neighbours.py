"""Items that a model takes for alike, as a frame in the caller's ids."""

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from intertask.answering.answerer import Answerer, Ranked
from intertask.data.counts import interactions
from intertask.errors import RequestError
from intertask.events.ranking import SCORES_IN_MEMORY
from intertask.nn.best import best_items
from intertask.options import arguments

WAYS = ("model", "events")


def frame(answerer: Answerer, items: object, k: object, by: object = "model") -> pl.DataFrame:
    """The most alike of each item; see `Recommender.similar`."""
    k = arguments.whole(k, "k", 1, len(answerer.reader.items), ", the size of the catalogue")
    if by not in WAYS:
        raise RequestError("by", f"one of {', '.join(WAYS)}", arguments.shown(by))
    places_N = answerer.reader.item_places(items, "items")
    if not answerer.known[places_N].all():
        untrained = answerer.reader.items.decode(places_N[~answerer.known[places_N]])
        raise RequestError(
            "items", "items with a training event", arguments.shown(untrained[0]), "`items` names them"
        )
    step = max(1, SCORES_IN_MEMORY // len(answerer.reader.items))
    frames = []
    for start in range(0, max(1, len(places_N)), step):
        places = places_N[start : start + step]
        ranked = answerer.similar(places, k) if by == "model" else _together(answerer, places, k)
        owners, ranks = np.nonzero(ranked.filled_BK)
        frames.append(
            pl.DataFrame(
                {
                    "item": answerer.reader.items.decode(places[owners]),
                    "rank": ranks + 1,
                    "similar": answerer.reader.items.decode(ranked.items_BK[ranked.filled_BK]),
                    "score": ranked.scores_BK[ranked.filled_BK],
                }
            )
        )
    return pl.concat(frames)


def _together(answerer: Answerer, places_N: NDArray[np.int32], k: int) -> Ranked:
    """The items that the same people had, by the cosine of who had them."""
    had_UI = interactions(answerer.reader.stored)
    own_UN = had_UI[:, places_N]
    common_NI: NDArray[np.float32] = (own_UN.T @ had_UI).toarray()  # [N, U] x [U, I] -> [N, I]
    lengths_I = np.sqrt(np.asarray(had_UI.sum(0)).ravel()).clip(min=1e-6)
    cosines_NI = torch.from_numpy(common_NI / lengths_I / lengths_I[places_N][:, None])
    cosines_NI[cosines_NI == 0] = float("-inf")
    cosines_NI[torch.arange(len(places_N)), torch.from_numpy(places_N.astype(np.int64))] = float("-inf")
    values_NK, items_NK = best_items(cosines_NI, k)
    return Ranked(items_NK.numpy(), values_NK.numpy())
