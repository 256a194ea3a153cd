"""Model folders that were changed on purpose, with checksums that fit: refused, or answered rightly."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from intertask import Recommender
from intertask.errors import ArtefactError
from tests import hostile, shop
from tests.fuzzing import fuzz

TASKS = {
    "next": {"kind": "next_item", "temperature": 0.1},
    "buys": {"kind": "next_item", "behaviour": "buy"},
    "liked": {"kind": "response", "label": "liked"},
    "again": {"kind": "response", "label": "liked", "given": "liked"},
    "value": {"kind": "response", "label": "liked", "form": "regression"},
    "what": {"kind": "next_behaviour"},
}


@cache
def models() -> list[Path]:
    """Good ones: small and plain, everything at once, and one that keeps no histories."""
    place = Path(tempfile.mkdtemp(prefix="hostile-"))
    shop.recommender().save(place / "plain")
    shop.recommender().save(place / "nobody", histories=False)
    everything = shop.recipe(
        encoder={"kind": "hstu", "time_bias": "query"},
        input={"kind": "events", "gap": True},
        communication={"kind": "gated_slots", "close_edges": False},
        tasks=TASKS,
        train={"epochs": 1, "workers": 0},
        ranker={"kind": "blend", "events": 30},
    )
    Recommender(everything).fit(shop.corpus(), shop.catalogue()).save(place / "everything")
    return sorted(place.iterdir())


def load_harmed(random: np.random.Generator) -> None:
    """Change one of the models, load it, and ask it everything."""
    with tempfile.TemporaryDirectory(prefix="h") as place:
        folder = Path(place) / "model"
        good = models()
        shutil.copytree(good[random.integers(len(good))], folder)
        hostile.harm(folder, random)
        ask_everything(Recommender.load(folder), random)


def ask_everything(model: Recommender, random: np.random.Generator) -> None:
    """Every kind of answer, each of which must be right in form."""
    items = model.items["item"].to_list()
    users = model.users.to_list()[:7]
    histories = [[items[place] for place in random.integers(len(items), size=5)], items[:1], []]
    for task in model.recipe.tasks_that_rank():
        exclude = bool(random.integers(2))
        for asked in ({"users": users}, {"histories": histories}):
            k = int(random.integers(1, len(items) + 1))
            frame = model.recommend(**asked, k=k, task=task, exclude_seen=exclude)
            check_lists(frame, items, k, next(iter(asked.values())), exclude)
    for task in model.recipe.tasks_that_judge():
        for asked in ({"users": users}, {"histories": histories[:2]}):
            frame = model.predict(**asked, items=items[:4], task=task)
            assert frame.height == min(4, len(items)) * len(next(iter(asked.values())))
            assert frame[task].is_finite().all()
            if model.recipe.tasks[task].form == "binary":
                assert frame[task].is_between(0, 1).all()
    weights = dict.fromkeys(model.recipe.tasks_that_rank() + model.recipe.tasks_that_judge(), 1.0)
    if weights:
        frame = model.recommend(histories=histories, k=3, objective=weights)
        check_lists(frame, items, 3, histories, None)
    for place, user in enumerate(users):
        history = model.history(user)
        assert history.height == int(model.histories.lengths[place])
        assert history["item"].is_in(items).all()
        assert history["behaviour"].is_not_null().all()


def check_lists(
    frame: pl.DataFrame, items: list[object], k: int, asked: list[object], exclude: bool | None
) -> None:
    """Finite scores that fall, known items, none twice, as many as there can be."""
    owner = frame.columns[0]
    assert frame["score"].is_finite().all(), frame
    assert frame["item"].is_in(items).all()
    assert not frame.select(owner, "item").is_duplicated().any()
    for (_,), mine in frame.group_by([owner], maintain_order=True):
        assert mine["rank"].to_list() == list(range(1, mine.height + 1))
        assert (mine["score"].diff().drop_nulls() <= 0).all()
    if exclude is False:
        assert frame.height == min(k, len(items)) * len(asked)


def test_a_changed_model_is_refused_or_answers_rightly():
    models()  # trained outside of the time of the first input
    fuzz(load_harmed, inputs=300, allowed=ArtefactError)


def test_a_model_that_nobody_changed_answers_rightly():
    for folder in models():
        ask_everything(Recommender.load(folder), np.random.default_rng(0))
