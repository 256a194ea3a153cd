"""Logs that are another one with something done to what is trained on; what is asked about stays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.corpus import Corpus
from intertask.data.prepare import prepare
from intertask.recipe import Recipe, source


def opened(recipe: Recipe, beside: Path) -> Corpus:
    """The log of a recipe, prepared."""
    return prepare(source.load(recipe.data, beside).events)


def trained_on(recipe: Recipe, corpus: Corpus) -> NDArray[np.bool_]:
    """Which events are trained on: all but those that are asked about, and what is later."""
    sequences = corpus.sequences
    stops = recipe.split_events(sequences).train_stop
    places = np.arange(len(sequences.items))
    mine: NDArray[np.bool_] = places < stops[sequences.users_of(places)]
    return mine


def written(
    corpus: Corpus, file: Path, items: NDArray[np.int32] | None = None, keep: NDArray[np.bool_] | None = None
) -> dict[str, Any]:
    """A log as a Parquet file, and the [data] section that reads it.

    Args:
        corpus: Whose users, behaviours, times and labels it has.
        file: Where.
        items: int32 [events], in place of the corpus's.
        keep: bool [events], which events are in it; all where left out.
    """
    sequences = corpus.sequences
    places = np.arange(len(sequences.items))
    columns: Mapping[str, Any] = {
        "user": sequences.users_of(places),
        "item": sequences.items if items is None else items,
        "place": places,
        "behaviour": np.array(corpus.behaviours)[sequences.behaviours],
        **({} if sequences.times is None else {"time": sequences.times}),
        **sequences.labels,
    }
    frame = pl.DataFrame({name: np.asarray(values) for name, values in columns.items()}).fill_nan(None)
    file.parent.mkdir(parents=True, exist_ok=True)
    (frame if keep is None else frame.filter(keep)).write_parquet(file)
    told = {"time": "time"} if sequences.times is not None else {"order": "place"}
    labels = list(sequences.labels)
    return {"events": {"path": str(file.resolve()), "behaviour": "behaviour", "labels": labels, **told}}
