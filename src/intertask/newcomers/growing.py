"""A trained model with more items, or with other content or evidence of those that it has."""

from dataclasses import replace

import numpy as np
import polars as pl
import torch

from intertask.answering.answerer import Answerer
from intertask.content.described import Described
from intertask.content.texts import Vectors, vectors_by
from intertask.data.catalogue import Catalogue
from intertask.data.corpus import joined
from intertask.data.vocabulary import Vocabulary
from intertask.errors import RequestError
from intertask.items.content import ContentItems
from intertask.model import Model
from intertask.train.checkpoint import weights


def described_of(answerer: Answerer) -> Described:
    """What the catalogue says of a model's items.

    Raises:
        RequestError: The model knows its items by their ids alone.
    """
    found = answerer.described
    if found is None or answerer.catalogue is None:
        raise RequestError(
            "add_items",
            "a model that reads the content of items",
            f"items of kind {answerer.model.config.items.kind!r}",
            'train it with [items] kind = "content" and a catalogue',
        )
    return found


def vectors_of(answerer: Answerer) -> Vectors:
    """What makes vectors of texts as those of the training items are made."""
    items = answerer.model.items
    if isinstance(items, ContentItems) and items.texts is not None:
        return items.texts.vectors
    return vectors_by(described_of(answerer).reader.found.encoder)


def grown(answerer: Answerer, described: Described, further: pl.Series, catalogue: Catalogue) -> Answerer:
    """The same model, its weights untouched, for these items.

    A ranker mixes the model's scores of the new ones and their content with sources that say nothing of them.

    Args:
        answerer: With the items so far.
        described: All items, those so far first.
        further: Ids of the new ones.
        catalogue: Of all.
    """
    model, reader = answerer.model, answerer.reader
    extra = len(further)
    num_items = len(reader.items) + extra
    dimensions = replace(model.dimensions, num_items=num_items, described=described, item_counts=None)
    with torch.random.fork_rng(devices=[]):
        larger = Model(model.config, dimensions).to(model.device).eval()
    _copy(model, larger, len(reader.items))
    counts = np.pad(answerer.popularity, ((0, 0), (0, extra)))
    vocabulary = Vocabulary(joined(reader.items.ids, further)) if extra else reader.items
    stored = replace(reader.stored, num_items=num_items)
    return replace(
        answerer,
        model=larger,
        reader=replace(reader, items=vocabulary, stored=stored),
        popularity=counts,
        catalogue=catalogue,
        ranker=None if answerer.ranker is None else answerer.ranker.grown(num_items, described.directions()),
    )


def _copy(model: Model, larger: Model, num_items: int) -> None:
    """Weights as they are; of items that are new the numbers of their own are zero."""
    own = weights(model)
    with torch.no_grad():
        for name, weight in weights(larger).items():
            if weight.shape == own[name].shape:
                weight.copy_(own[name])
            else:  # tables with a row an item
                weight.zero_()
                weight[:num_items].copy_(own[name])
