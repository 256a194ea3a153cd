"""Users, their histories and their recommendations in words."""

import numpy as np
import polars as pl

from intertask.data.catalogue import Catalogue
from intertask.options.seeds import generator
from intertask.recommender import Recommender
from intertask.report import Sample

SHOWN_EVENTS = 5


def titles(catalogue: Catalogue | None, items: pl.Series) -> list[str]:
    """The items' first text, or their ids where they have none."""
    ids = [str(item) for item in items]
    if catalogue is None or not catalogue.text:
        return ids
    return [text or name for text, name in zip(catalogue.text_of(items), ids, strict=True)]


def sample_users(model: Recommender, num: int, k: int, behaviour: str | None = None) -> list[Sample]:
    """Some users, always the same ones for a model, with what they did and what they would be shown."""
    if not model.recipe.tasks_that_rank():
        return []
    users = model.users
    some = generator(model.recipe.seed, "samples").permutation(len(users))[:num]
    return [sample(model, users[int(place)], k, behaviour) for place in np.sort(some)]


def sample(model: Recommender, user: str | int, k: int, behaviour: str | None) -> Sample:
    """One user."""
    recent = model.history(user).tail(SHOWN_EVENTS)
    best = model.recommend(users=[user], k=k, behaviour=behaviour)
    return Sample(
        user=str(user),
        history=tuple(zip(titles(model.catalogue, recent["item"]), recent["behaviour"], strict=True)),
        recommended=tuple(zip(titles(model.catalogue, best["item"]), best["score"], strict=True)),
    )
