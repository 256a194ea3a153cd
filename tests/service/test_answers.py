"""Lists that were given are kept, with what they led to; drawn ones with their probabilities."""

import numpy as np
import pytest

from intertask.service import answers
from intertask.service.answers import Given, KeepAnswers, TrimAnswers
from intertask.service.refusals import UnavailableError
from tests import shop


def ask(client, path="", status=200, **body):
    found = client.post(f"/v1/recommend{path}", json=body)
    assert found.status_code == status, found.text
    return found.json()


def kept(client, **query):
    """After what waits was kept."""
    client.portal.call(client.app.state.running.recorder.flush)
    found = client.get("/v1/recommendations", params=query)
    assert found.status_code == 200, found.text
    return found.json()["lists"]


def test_a_list_is_kept_with_the_events_that_it_led_to(client):
    answer = ask(client, user="ü1", k=4, scenario="home")
    name = answer["recommendation"]
    event = {"id": "e1", "user": "ü1", "item": "№4", "behaviour": "buy", "recommendation": name}
    client.post("/v1/events", json={"events": [event]})
    (found,) = kept(client, recommendation=name)
    assert found["items"] == answer["items"] and found["model"] == answer["model"] == "v1"
    assert (found["user"], found["scenario"], found["arm"]) == ("ü1", "home", None)
    assert [(one["id"], one["item"]) for one in found["events"]] == [("e1", "№4")]


def test_every_page_is_kept_once_however_often_it_is_asked_for(client):
    first = ask(client, user="ü1", k=3, seen=False)
    pages = [ask(client, "/next", cursor=first["cursor"]) for _ in range(3)]
    assert pages[0] == pages[1] == pages[2]
    longer = ask(client, "/next", cursor=first["cursor"], k=4)
    found = kept(client, user="ü1")
    names = {page["recommendation"] for page in (first, pages[0], longer)}
    assert {one["recommendation"] for one in found} == names and len(found) == 3


def test_lists_of_nobody_are_kept_too_and_what_is_not_there_is_told(client):
    answer = ask(client, history=[{"item": "№3"}])
    (found,) = kept(client, recommendation=answer["recommendation"])
    assert found["user"] is None and kept(client, user="nobody") == []
    missing = client.get("/v1/recommendations", params={"recommendation": "rec_0"})
    assert missing.status_code == 404
    for query in ({}, {"user": "a", "recommendation": "b"}):
        found = client.get("/v1/recommendations", params=query)
        assert found.status_code == 400 and "a recommendation or a user" in found.json()["detail"]


def test_a_drawn_list_tells_its_probabilities_and_keeps_them(client):
    explore = {"kind": "gumbel", "temperature": 0.5, "among": 10}
    seen = set()
    for _ in range(8):
        answer = ask(client, user="ü1", k=3, seen=False, explore=explore)
        seen.add(tuple(one["item"] for one in answer["items"]))
        assert all(0 < one["propensity"] <= 1 for one in answer["items"])
        (found,) = kept(client, recommendation=answer["recommendation"])
        assert found["items"] == answer["items"]
    best = [one["item"] for one in ask(client, user="ü1", k=10, seen=False)["items"]]
    assert len(seen) > 1 and {item for one in seen for item in one} <= set(best)
    plain = ask(client, user="ü1", k=3)
    assert "propensity" not in plain["items"][0]


def test_pages_of_a_drawn_list_are_the_same_on_a_retry_and_repeat_nothing(client):
    page = ask(client, user="ü1", k=4, seen=False, explore={"temperature": 2.0})
    found = [one["item"] for one in page["items"]]
    while page["cursor"] is not None:
        again = [ask(client, "/next", cursor=page["cursor"]) for _ in range(2)]
        assert again[0] == again[1]
        page = again[0]
        found += [one["item"] for one in page["items"]]
    assert sorted(found) == sorted(shop.item_id(n) for n in range(shop.NUM_ITEMS))


def test_an_explanation_is_what_the_score_loses_without_the_event(client):
    history = [{"item": "№1", "behaviour": "buy"}, {"item": "№4", "behaviour": "view"}, {"item": "?"}]
    answer = ask(client, history=history, k=15, seen=False, explain=True)
    scores = {one["item"]: one["score"] for one in answer["items"]}
    for left_out, item in ((0, "№1"), (1, "№4")):
        others = [one for place, one in enumerate(history) if place != left_out]
        without = ask(client, history=others, k=15, seen=False)
        for one in without["items"]:
            reasons = next(o["because"] for o in answer["items"] if o["item"] == one["item"])
            (change,) = (reason["change"] for reason in reasons if reason["item"] == item)
            assert np.isclose(change, one["score"] - scores[one["item"]], atol=1e-4)
    assert all(one["because"] == [] for one in ask(client, user="stranger", explain=True)["items"])
    assert ask(client, user="ü1", objective={"next": 1, "liked": 1}, explain=True)["items"][0]["because"]


MALFORMED = [
    ({"explore": {"temperature": 0}}, "explore.temperature: expected"),
    ({"explore": {"kind": "epsilon"}}, "explore.kind: expected"),
    ({"explore": {"among": 1_001}}, "explore.among: expected"),
    ({"explore": 0.1}, "explore"),
    ({"explain": True, "k": 51}, "body: expected k of at most 50 with explain, found 51"),
    ({"explain": 1}, "explain: expected"),
    ({"scenario": ""}, "scenario: expected"),
]


def test_what_cannot_be_is_refused_in_one_line(client):
    for body, words in MALFORMED:
        detail = ask(client, status=400, user="ü1", **body)["detail"]
        assert words in detail and "\n" not in detail


def test_what_cannot_be_kept_waits_and_no_request_fails(client, monkeypatch):
    recorder = client.app.state.running.recorder

    async def gone(_command):
        raise UnavailableError("database", "one", "none")

    with monkeypatch.context() as patch:
        patch.setattr(recorder._access, "write", gone)
        name = ask(client, user="ü1")["recommendation"]
        client.portal.call(recorder.flush)
        patch.setattr("intertask.service.recorder.MOST_WAITING", 1)
        lost = ask(client, user="ü1")["recommendation"]
    assert len(kept(client, recommendation=name)) == 1
    assert client.get("/v1/recommendations", params={"recommendation": lost}).status_code == 404


def test_who_is_deleted_has_no_list_and_who_is_merged_brings_them(client):
    ask(client, user="a")
    ask(client, user="b")
    assert len(kept(client, user="a")) == len(kept(client, user="b")) == 1
    client.post("/v1/events", json={"events": [{"user": "b", "item": "№1", "behaviour": "buy"}]})
    client.post("/v1/users/merge", json={"user": "b", "into": "c"})
    assert len(kept(client, user="c")) == 1 and kept(client, user="b") == []
    client.delete("/v1/users", params={"user": "a"})
    client.delete("/v1/users", params={"user": "c"})
    assert kept(client, user="a") == kept(client, user="c") == []


def given(moment):
    name = answers.first(moment) + "0" * 20
    return Given(recommendation=name, person="p", version=1, items=("i",), scores=(1.0,))


def test_lists_of_long_ago_are_forgotten_a_part_at_a_time(store, monkeypatch):
    monkeypatch.setattr(answers, "TRIMMED", 2)
    moments = [1_700_000_000_000_000 + day * 86_400_000_000 for day in range(6)]
    with store.transaction():
        KeepAnswers(tenant=1, given=tuple(map(given, moments))).run(store)
        KeepAnswers(tenant=2, given=(given(moments[0]),)).run(store)
        trim = TrimAnswers(tenant=1, before=answers.first(moments[3]))
        assert [trim.run(store).changed for _ in range(2)] == [True, False]
    assert [one.moment for one in answers.of_person(store, 1, "p", 9)] == moments[:2:-1]
    assert len(answers.of_person(store, 2, "p", 9)) == 1


@pytest.mark.parametrize("days", [0])
def test_a_service_that_keeps_none_keeps_none(place, key, days):
    from tests.service.asking import asking

    settings = place.settings.model_copy(update={"answers_days": days})
    with asking(place.model_copy(update={"settings": settings}), key()) as client:
        ask(client, user="ü1")
        assert kept(client, user="ü1") == []
