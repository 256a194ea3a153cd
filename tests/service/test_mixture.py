"""A model whose lists are mixed of many sources answers over HTTP as it does in the library."""

import pytest

from intertask import Recommender
from intertask.service import registry
from tests import shop
from tests.items.test_content import recipe
from tests.newcomers.test_items import catalogue
from tests.service.asking import asking
from tests.service.test_arrivals import NEW, listed, put, raised, until

SOURCES = {
    "transition": "transition",
    "repeat": {"kind": "repeat", "each_behaviour": True},
    "popularity": "popularity",
    "content": "content",
}


@pytest.fixture(scope="module")
def mixed():
    """A recommender with a ranker, that reads content."""
    ranker = {"kind": "blend", "sources": SOURCES}
    model = Recommender(recipe(ranker=ranker, evaluation={"history": ("kept",)}))
    model.fit(shop.corpus(), catalogue())
    assert model.answerer.ranker is not None and model.answerer.ranker.mixers
    return model


@pytest.fixture
def served(place, store, mixed, tmp_path):
    """A service whose active model it is."""
    mixed.save(tmp_path / "mixed")
    added = registry.add(tmp_path / "mixed", tmp_path / "own")
    raised(place, store, tmp_path / "own", added)
    return place


@pytest.mark.parametrize("seen", [True, False])
def test_lists_are_those_of_the_library_and_new_items_come_into_them(served, key, mixed, seen):
    events = [("№1", "view"), ("№2", "buy"), ("№1", "view")]
    with asking(served, key()) as client:
        body = {"history": [{"item": item, "behaviour": kind} for item, kind in events], "k": 5}
        answer = client.post("/v1/recommend", json=body | {"seen": seen})
        assert answer.status_code == 200, answer.text
        told = mixed.recommend(histories=[events], k=5, exclude_seen=seen)
        assert [one["item"] for one in answer.json()["items"]] == told["item"].to_list()
        scores = [one["score"] for one in answer.json()["items"]]
        assert scores == pytest.approx(told["score"].to_list(), abs=1e-4)
        put(client, fresh=NEW)
        until(lambda: "fresh" in listed(client))
