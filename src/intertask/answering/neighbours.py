"""Items that a model takes for alike, as a frame in the caller's ids."""

import warnings

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from intertask.answering.answerer import Answerer, Ranked
from intertask.content.described import describe
from intertask.content.texts import HASHED
from intertask.data.counts import interactions
from intertask.errors import RequestError
from intertask.events.ranking import SCORES_IN_MEMORY
from intertask.nn.best import best_items
from intertask.options import arguments

WAYS = ("vectors", "content", "events")
WIDTH = 128  # numbers of a text, where the model reads none
FORMER = {"model": "vectors"}  # names that were in use


def frame(answerer: Answerer, items: object, k: object, by: object = "vectors") -> pl.DataFrame:
    """The most alike of each item; see `Recommender.similar`."""
    k = arguments.whole(k, "k", 1, len(answerer.reader.items), ", the size of the catalogue")
    by = FORMER.get(by, by) if isinstance(by, str) else by
    if by not in WAYS:
        raise RequestError("by", f"one of {', '.join(WAYS)}", arguments.shown(by))
    places_N = answerer.reader.item_places(items, "items")
    if by == "content":
        directions_ID = _content(answerer)
    elif by == "vectors" and not answerer.known[places_N].all():
        untrained = answerer.reader.items.decode(places_N[~answerer.known[places_N]])
        raise RequestError(
            "items", "items with a training event", arguments.shown(untrained[0]), "`items` names them"
        )
    step = max(1, SCORES_IN_MEMORY // len(answerer.reader.items))
    frames, alone = [], 0
    for start in range(0, max(1, len(places_N)), step):
        places = places_N[start : start + step]
        if by == "vectors":
            ranked = answerer.similar(places, k)
        elif by == "events":
            ranked = _together(answerer, places, k)
            alone += int((~ranked.filled_BK.any(1)).sum())
        else:
            ranked = _nearest(directions_ID, places, k)
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
    if alone:
        warnings.warn(
            f"{alone:,} of {len(places_N):,} items have no list: no stored user had them and another item",
            stacklevel=3,
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


def _content(answerer: Answerer) -> NDArray[np.float32]:
    """What the catalogue says of each item, of length one; zeros where it says nothing.

    A model that reads content has read it. For others texts are read by words and parts of words.

    Raises:
        RequestError: There is no catalogue that says anything of an item.
    """
    described, catalogue = answerer.described, answerer.catalogue
    if described is None and catalogue is not None and any(catalogue.roles().values()):
        counts_I = answerer.popularity.sum(0)
        described = describe(
            catalogue, answerer.reader.items.ids, counts_I, HASHED, WIDTH, scale=True, strict=False
        )
    if described is None or not described.num_features:
        raise RequestError(
            "similar",
            "a catalogue with text, categories, tags or numbers",
            "none",
            "fit(log, Catalogue.read(...))",
        )
    lengths_I1 = np.linalg.norm(described.features_IF, axis=1, keepdims=True).clip(min=1e-9)
    return np.asarray(described.features_IF / lengths_I1 * described.has_I[:, None], np.float32)


def _nearest(directions_ID: NDArray[np.float32], places_N: NDArray[np.int32], k: int) -> Ranked:
    """The items whose content is most alike, by the cosine; none for one without content."""
    cosines_NI = torch.from_numpy(directions_ID[places_N] @ directions_ID.T)
    idle_I = torch.from_numpy(~directions_ID.any(1))
    cosines_NI[:, idle_I] = float("-inf")
    cosines_NI[idle_I[torch.from_numpy(places_N.astype(np.int64))]] = float("-inf")
    cosines_NI[torch.arange(len(places_N)), torch.from_numpy(places_N.astype(np.int64))] = float("-inf")
    values_NK, items_NK = best_items(cosines_NI, k)
    return Ranked(items_NK.numpy(), values_NK.numpy())
