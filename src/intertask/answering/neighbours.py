"""Items that a model takes for alike, as a frame in the caller's ids."""

import numpy as np
import polars as pl

from intertask.answering.answerer import Answerer
from intertask.errors import RequestError
from intertask.events.ranking import SCORES_IN_MEMORY
from intertask.options import arguments


def frame(answerer: Answerer, items: object, k: object) -> pl.DataFrame:
    """The most alike of each item; see `Recommender.similar`."""
    k = arguments.whole(k, "k", 1, len(answerer.reader.items), ", the size of the catalogue")
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
        ranked = answerer.similar(places, k)
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
