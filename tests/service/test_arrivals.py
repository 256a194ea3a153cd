"""Items that are set while the service runs are recommended by a model that reads content."""

import time

import numpy as np
import pytest

from intertask import Recommender
from intertask.service import registry
from intertask.service.loaded import Loaded
from intertask.service.versions import AddVersion, Raise
from tests import shop
from tests.items.test_content import recipe
from tests.newcomers.test_items import catalogue
from tests.service.asking import asking

NEW = {"title": "Thing 1", "genres": ["odd", "all"], "kind": "odd", "price": 3}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("content")
    Recommender(recipe()).fit(shop.corpus(), catalogue()).save(folder / "model")
    return folder, registry.add(folder / "model", folder / "models")


@pytest.fixture
def content(place, store, model):
    """A service whose active model reads content."""
    folder, added = model
    raised(place, store, folder / "models", added)
    return place


def raised(place, store, models, added):
    """Make a model of another registry the only one of the first tenant, and active."""
    (place.folder / "models").unlink()
    (place.folder / "models").symlink_to(models)
    with store.transaction():
        store.run("DELETE FROM models WHERE tenant = 1 AND version < 3")
        AddVersion(tenant=1, digest=added.digest, facts=added.facts).run(store)
        number = store.rows("SELECT max(version) FROM models WHERE tenant = 1")[0][0]
        Raise(tenant=1, version=number).run(store)


def put(client, **properties):
    items = [{"item": name, "properties": own} for name, own in properties.items()]
    assert client.put("/v1/items", json={"items": items}).json()["changed"]


def listed(client, **asked):
    body = {"user": "ü1", "k": 100, "seen": False} | asked
    return [one["item"] for one in client.post("/v1/recommend", json=body).json()["items"]]


def until(found, seconds=10.0):
    end = time.monotonic() + seconds
    while not found() and time.monotonic() < end:
        time.sleep(0.05)
    assert found()


def test_a_new_item_is_in_lists_by_what_is_said_of_it(content, key):
    with asking(content, key()) as client:
        before = listed(client)
        assert len(before) == shop.NUM_ITEMS
        put(client, fresh=NEW, bare={"shape": "round"})
        until(lambda: "fresh" in listed(client))
        after = listed(client)
        assert "bare" not in after and [item for item in after if item != "fresh"] == before
        event = {"user": "ü1", "item": "fresh", "behaviour": "view"}
        assert client.post("/v1/events", json={"events": [event]}).json()["unknown_items"] == 0
        found = client.post("/v1/similar", json={"item": "fresh", "k": 3}).json()["items"]
        assert len(found) == 3
        assert listed(client, filter="price == 3", allow=["fresh", "bare"]) == ["fresh"]
        client.post("/v1/items/hide", json={"items": ["fresh"]})
        assert "fresh" not in listed(client)
        client.post("/v1/items/hide", json={"items": ["fresh"], "hidden": False})
        assert "fresh" in listed(client)
        client.delete("/v1/items", params={"item": "fresh"})
        until(lambda: "fresh" not in listed(client))


def test_what_is_said_anew_of_a_new_item_moves_it(content, key):
    with asking(content, key()) as client:
        put(client, fresh=NEW)
        until(lambda: "fresh" in listed(client))
        score = client.post("/v1/recommend", json={"user": "ü1", "allow": ["fresh"]}).json()["items"][0]
        put(client, fresh=NEW | {"kind": "even", "genres": ["even"], "title": "Thing 2", "price": 900})

        def other():
            asked = client.post("/v1/recommend", json={"user": "ü1", "allow": ["fresh"]}).json()["items"]
            return asked and asked[0]["score"] != score["score"]

        until(other)


def test_new_items_are_there_from_the_first_answer_on(content, key):
    with asking(content, key()) as client:
        put(client, fresh=NEW)
    with asking(content, key()) as client:
        assert "fresh" in listed(client)


def test_a_page_repeats_no_new_item_in_a_process_that_knows_others(content, key):
    with asking(content, key()) as client:
        put(client, m=NEW)
        until(lambda: "m" in listed(client))
        first = {"boost": [{"if": "price == 3", "factor": 1000}]}
        page = client.post("/v1/recommend", json={"user": "ü1", "k": 3, "seen": False} | first).json()
        alike = client.post("/v1/similar", json={"item": shop.item_id(1), "k": 14}).json()
        assert page["items"][0]["item"] == "m"
        put(client, a=NEW, z=NEW)  # stands before it: its index is another
        until(lambda: {"a", "m", "z"} <= set(listed(client)))
        further = client.post("/v1/recommend/next", json={"cursor": page["cursor"]}).json()["items"]
        assert [one["item"] for one in further][:2] in (["a", "z"], ["z", "a"])
        rest = client.post("/v1/similar", json={"cursor": alike["cursor"], "k": 14}).json()["items"]
        names = [one["item"] for one in (*alike["items"], *rest)]
        assert len(set(names)) == len(names)


def test_another_tenant_has_its_own_items(content, store, model, key):
    _, added = model
    with store.transaction():
        AddVersion(tenant=2, digest=added.digest, facts=added.facts).run(store)
        Raise(tenant=2, version=1).run(store)
    with asking(content, key()) as client:
        put(client, fresh=NEW)
        until(lambda: "fresh" in listed(client))
        own = {"Authorization": f"Bearer {key(tenant=2)}"}
        history = [{"item": shop.item_id(1)}]
        told = client.post("/v1/recommend", json={"history": history, "k": 100}, headers=own).json()
        assert told["items"] and "fresh" not in {one["item"] for one in told["items"]}


def test_items_of_a_model_of_ids_alone_stay_unknown(client):
    put(client, fresh=NEW)
    time.sleep(0.6)
    assert "fresh" not in listed(client)


def test_marks_are_the_same_whatever_else_is_known():
    shown = Loaded("x", shop.recommender())
    assert shown.marks.of([3, 0]) == [3, 0]
    assert np.flatnonzero(shown.marks.items([3, -7, 900]).numpy()).tolist() == [3]
