import numpy as np
import polars as pl
import pytest

from intertask import Catalogue, EventLog, Recipe, Recommender
from intertask.errors import RequestError
from tests import shop


@pytest.fixture(scope="module")
def model() -> Recommender:
    """Two kinds of items, and people who stay with one of them."""
    random = np.random.default_rng(0)
    ids = [f"{kind}{n}" for kind in ("cup", "rug") for n in range(8)]
    rows = [(user, ids[8 * (user % 2) + random.integers(8)]) for user in range(60) for _ in range(6)]
    frame = pl.DataFrame(
        {
            "item": ids,
            "title": [f"{'blue china cup' if 'cup' in item else 'woven wool rug'}" for item in ids],
            "tags": ["kitchen" if "cup" in item else "floor|warm" for item in ids],
        }
    )
    recipe = Recipe.model_validate(
        {
            "width": 8,
            "encoder": "gru",
            "items": {"kind": "content", "encoder": "hashed", "text_width": 4},
            "train": {"epochs": 6, "workers": 0, "learning_rate": 0.03},
            "evaluation": {"history": ["kept"]},
        }
    )
    log = EventLog.read(pl.DataFrame(rows, schema=["user", "item"], orient="row"))
    return Recommender(recipe).fit(log, Catalogue.read(frame, text=["title"], tags=["tags"]))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"text": "a china cup, please"}, "cup"),
        ({"text": "wool"}, "rug"),
        ({"tags": ["kitchen"]}, "cup"),
        ({"tags": ["warm"], "text": "rug"}, "rug"),
        ({"liked": ["rug3"]}, "rug"),
    ],
)
def test_what_a_new_person_says_decides_what_they_get(model, said, kind):
    history = model.stated(**said)
    assert all(item.startswith(kind) for item in history)
    found = model.recommend(histories=[history], k=5, exclude_seen=False)["item"]
    assert found.str.starts_with(kind).mean() >= 0.8


def test_what_is_liked_comes_last_and_once(model):
    history = model.stated(text="blue cup", liked=["rug1", "cup2"], k=8)
    assert history[-2:] == ["rug1", "cup2"] and len(set(history)) == len(history) == 9


def test_what_says_nothing_is_refused(model):
    foreign = ({"text": text} for text in ("\0", "....", "7", "日本", "q"))
    for said in ({}, {"tags": ["unheard of"]}, {"text": "  "}, {"text": "", "tags": []}, *foreign):
        with pytest.raises(RequestError, match="a text, tags or liked items"):
            model.stated(**said)
    with pytest.raises(RequestError, match="liked"):
        model.stated(liked=["nobody's"])
    with pytest.raises(RequestError, match="a list of words"):
        model.stated(tags="kitchen")
    with pytest.raises(RequestError, match="a model that reads the content"):
        shop.recommender().stated(text="mug")
