"""Recommendations over HTTP are those of the library, and know every event that was acknowledged."""

import concurrent.futures

import numpy as np
import pytest

from intertask.service import versions
from intertask.service.versions import Raise
from tests import shop
from tests.service.asking import asking

USERS = [shop.user_id(number) for number in range(shop.NUM_USERS)]


def ask(client, **body):
    found = client.post("/v1/recommend", json=body)
    assert found.status_code == 200, found.text
    return found.json()


def lists(frame):
    return list(zip(frame["item"], frame["score"], strict=True))


def assert_same(answer, frame):
    found = [(one["item"], one["score"]) for one in answer["items"]]
    expected = lists(frame)
    assert [item for item, _ in found] == [item for item, _ in expected]
    assert np.allclose([score for _, score in found], [score for _, score in expected], atol=1e-5)


SOME = ["№1", "№2", "№3"]
SAME = (  # what is asked of the service, and of the library
    ({}, {}),
    ({"k": 3, "behaviour": "buy"}, {"k": 3, "behaviour": "buy"}),
    ({"objective": {"next": 1, "liked": 0.5}}, {"objective": {"next": 1, "liked": 0.5}}),
    (
        {"objective": {"buys": 1, "next": -0.2}, "seen": False},
        {"objective": {"buys": 1, "next": -0.2}, "exclude_seen": False},
    ),
    ({"seen": True, "k": 15, "task": "buys"}, {"exclude_seen": True, "k": 15, "task": "buys"}),
    ({"allow": SOME, "seen": False}, {"allow": SOME, "exclude_seen": False}),
    ({"deny": SOME, "filter": "'odd' in genres"}, {"deny": SOME, "where": "'odd' in genres"}),
)


def test_a_users_list_is_that_of_the_library(client):
    for body, options in SAME:
        for user in USERS[:6]:
            assert_same(ask(client, user=user, **body), shop.recommender().recommend(users=[user], **options))


def test_a_history_that_comes_along_is_answered_as_by_the_library(client):
    for history in ([["№1", "buy"], ["№4", "view"]], [["№7", "cart"]], []):
        body = [{"item": item, "behaviour": behaviour} for item, behaviour in history]
        expected = shop.recommender().recommend(histories=[[tuple(event) for event in history]], k=5)
        assert_same(ask(client, history=body, k=5), expected)


def test_many_at_once_get_the_lists_that_each_would_get_alone(client):
    bodies = [
        {"user": user, "k": 3 + place % 4, "seen": place % 2 == 0, "deny": [shop.item_id(place % 9)]}
        for place, user in enumerate(USERS)
    ]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda body: ask(client, **body), bodies))
    for body, answer in zip(bodies, answers, strict=True):
        expected = shop.recommender().recommend(
            users=[body["user"]], k=body["k"], exclude_seen=body["seen"], deny=body["deny"]
        )
        assert_same(answer, expected)


def test_an_acknowledged_event_is_in_the_next_answer_of_the_other_process(place, store, key, address):
    """Two processes with connections of their own, asked in turn."""
    if address == "sqlite":
        pytest.skip("SQLite has one writer; test_service.py runs it with its processes")
    opened_by = key()
    with asking(place, opened_by, "a") as one, asking(place, opened_by, "b") as other:
        for number in range(30):
            writes, reads = (one, other) if number % 2 else (other, one)
            item = shop.item_id(number % shop.NUM_ITEMS)
            event = {"user": f"p{number}", "item": item, "behaviour": "view"}
            assert writes.post("/v1/events", json={"events": [event]}).json()["stored"] == 1
            answer = ask(reads, user=f"p{number}", k=15, seen=True)
            assert item not in {found["item"] for found in answer["items"]} and len(answer["items"]) == 14


def test_seen_items_stay_out_by_behaviour_and_by_time(client):
    events = [
        {"user": "p", "item": "№1", "behaviour": "buy", "time": "2020-01-01T00:00:00Z"},
        {"user": "p", "item": "№2", "behaviour": "buy"},
        {"user": "p", "item": "№3", "behaviour": "view"},
    ]
    client.post("/v1/events", json={"events": events})

    def missing(seen):
        answer = ask(client, user="p", k=15, seen=seen)
        return {shop.item_id(n) for n in range(15)} - {one["item"] for one in answer["items"]}

    assert missing(True) == {"№1", "№2", "№3"} and missing(False) == set()
    assert missing({"behaviours": ["buy"]}) == {"№1", "№2"}
    assert missing({"behaviours": ["buy"], "days": 30}) == {"№2"}
    assert missing({"days": 30}) == {"№2", "№3"}


def test_hidden_items_are_in_no_list_that_begins_later(client):
    for hidden in (True, False):
        client.post("/v1/items/hide", json={"items": ["№3", "unknown"], "hidden": hidden})
        lists = [
            ask(client, user="ü1", k=15, seen=False)["items"],
            ask(client, history=[], k=15)["items"],
            ask(client, user="ü1", k=15, seen=False, allow=["№3", "№4"])["items"],
            client.post("/v1/similar", json={"item": "№4", "k": 14}).json()["items"],
            client.get("/v1/popular", params={"k": 15}).json()["items"],
        ]
        assert ["№3" in {one["item"] for one in found} for found in lists] == [not hidden] * 5


def test_what_changes_nothing_is_counted_in_the_answer(client):
    history = [{"item": "?"}, {"item": "№1"}]
    answer = ask(client, history=history, allow=["№1", "№2", "x"], deny=["y", "z"], seen=False)
    assert answer["unknown"] == {"history_items": 1, "allow": 1, "deny": 2}
    assert [one["item"] for one in answer["items"]] and ask(client, user="ü1")["unknown"] == {}


def test_a_stranger_gets_what_is_popular(client):
    popular = client.get("/v1/popular", params={"k": 5}).json()["items"]
    assert [one["item"] for one in ask(client, user="nobody", k=5)["items"]] == [
        one["item"] for one in popular
    ]


def test_alike_is_what_the_library_says(client):
    found = client.post("/v1/similar", json={"item": "№3", "k": 4}).json()
    expected = shop.recommender().similar(["№3"], k=4)
    assert [one["item"] for one in found["items"]] == expected["similar"].to_list()
    missing = client.post("/v1/similar", json={"item": "?"})
    assert missing.status_code == 404 and missing.json()["found"] == "'?'"


def test_a_model_that_fails_leaves_people_with_what_is_popular(client, monkeypatch, capsys):
    engine = client.app.state.running.engine
    (model,) = engine.models.values()
    monkeypatch.setattr(model, "rank", lambda together: 1 / 0)
    answer = ask(client, user="ü1", k=4, deny=["№9"])
    assert answer["degraded"] == "model" and len(answer["items"]) == 4
    assert "№9" not in {one["item"] for one in answer["items"]}
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_store_that_cannot_be_read_leaves_the_history_that_came_along(client, monkeypatch):
    from intertask.service.refusals import UnavailableError

    expected = ask(client, history=[{"item": "№1", "behaviour": "buy"}], k=4)
    engine = client.app.state.running.engine

    def gone():
        raise UnavailableError("database", "one that can be read", "none")

    monkeypatch.setattr(engine, "_here", gone)
    answer = ask(client, user="ü1", history=[{"item": "№1", "behaviour": "buy"}], k=4)
    assert answer["degraded"] == "store" and answer["items"] == expected["items"]


def test_a_tenant_without_a_model_is_told_so(place, store, key):
    with asking(place, key(tenant=2)) as client:
        found = client.post("/v1/recommend", json={"user": "ü1"})
        assert found.status_code == 404 and "a published model, found none" in found.json()["detail"]
        event = {"user": "ü1", "item": "№1", "behaviour": "anything"}
        assert client.post("/v1/events", json={"events": [event]}).json()["seq"] == 1
    with store.transaction():
        assert store.rows("SELECT count(*) FROM events WHERE tenant = 1 AND behaviour = 'anything'") == [(0,)]


def test_another_version_answers_from_the_next_request_on(client, store, shop_models):
    before = ask(client, user="ü1")
    done = client.post("/v1/models/publish", json={"version": 2, "instead_of": 1})
    assert done.json() == {"version": 2, "before": 1}
    after = ask(client, user="ü1")
    assert (before["model"], after["model"]) == ("v1", "v2") and before["items"] != after["items"]
    assert client.post("/v1/models/rollback").json() == {"version": 1, "before": 2}
    assert ask(client, user="ü1")["items"] == before["items"]
    assert [one["active"] for one in client.get("/v1/models").json()["models"]] == [False, True]


def test_a_version_that_cannot_be_loaded_is_never_published(client, store, place):
    from intertask.service.versions import AddVersion

    with store.transaction():
        AddVersion(tenant=1, digest="0" * 64).run(store)
    found = client.post("/v1/models/publish", json={"version": 3})
    assert found.status_code == 409 and "a model that every process can load" in found.json()["detail"]
    named = versions.alias(store, 1, versions.NEXT + versions.ACTIVE)
    assert named is not None and named.version == 1  # nobody tries to load the other again
    missing = client.post("/v1/models/publish", json={"version": 9})
    assert missing.status_code == 404
    assert ask(client, user="ü1")["model"] == "v1"
    with store.transaction(), pytest.raises(Exception, match="found 1"):
        Raise(tenant=1, version=2, instead_of=2).run(store)
