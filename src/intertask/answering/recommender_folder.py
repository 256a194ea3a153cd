"""A recommender as what its folder holds, and back."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from intertask import artefact
from intertask.answering.answerer import Answerer
from intertask.artefact.log import LogArtefact
from intertask.data.catalogue import Catalogue
from intertask.data.corpus import Corpus
from intertask.data.ids import alike
from intertask.data.people import People
from intertask.data.sequences import Sequences
from intertask.data.vocabulary import Vocabulary
from intertask.events.beside import known, readers_of
from intertask.events.requests import Reader
from intertask.events.trainable import build
from intertask.recipe import Recipe
from intertask.train.checkpoint import set_weights, weights


def reader_of(corpus: Corpus, counts: NDArray[np.int64]) -> Reader:
    """What reads requests; events without a behaviour are of the most frequent one.

    Args:
        corpus: Users, items and events.
        counts: int64 [behaviours, items], training events.
    """
    usual = int(counts.sum(axis=1).argmax())
    return Reader(corpus.users, corpus.items, corpus.behaviours, corpus.sequences, usual)


def stored(
    answerer: Answerer, recipe: Recipe, catalogue: Catalogue | None, refitted: bool, histories: bool
) -> LogArtefact:
    """What is written of a recommender; without its users and their events if `histories` is False."""
    reader = answerer.reader
    users = reader.users if histories else type(reader.users)(reader.users.ids.clear())
    return LogArtefact(
        recipe=recipe,
        behaviours=reader.behaviours,
        items=reader.items,
        users=users,
        weights=artefact.as_arrays(weights(answerer.model)),
        histories=reader.stored if histories else _nobody(reader.stored),
        popularity=answerer.popularity,
        catalogue=catalogue,
        refitted=refitted,
        described=answerer.described,
        ranker=answerer.ranker,
        readers=readers_of(answerer.model),
        people=None if not histories or answerer.people is None else _of(answerer.people, users),
    )


def opened(held: LogArtefact) -> Answerer:
    """What answers as it did before it was written, to the bit."""
    corpus = Corpus(held.users, held.items, held.behaviours, held.histories, people=held.people)
    corpus = known(corpus, held.readers)
    model = build(held.recipe, corpus, held.recipe.seed, described=held.described, readers=held.readers)
    set_weights(model, {name: torch.from_numpy(array) for name, array in held.weights.items()})
    counts = held.popularity
    reader = reader_of(corpus, counts)
    return Answerer(model.eval(), reader, counts, held.catalogue, held.ranker, held.people)


def _of(people: People, users: Vocabulary) -> People:
    """What is known of some users, and of nobody else."""
    listed, asked = alike(people.ids, users.ids)
    theirs = listed.is_in(asked.implode())
    return replace(people, ids=people.ids.filter(theirs), frame=people.frame.filter(theirs))


def _nobody(sequences: Sequences) -> Sequences:
    return Sequences(
        offsets=np.zeros(1, np.int64),
        items=sequences.items[:0],
        behaviours=sequences.behaviours[:0],
        times=None if sequences.times is None else sequences.times[:0],
        num_items=sequences.num_items,
        num_behaviours=sequences.num_behaviours,
    )
