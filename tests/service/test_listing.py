"""Items and users are looked through page by page, whatever comes in between, and conditions are tried."""

import pytest

from tests import shop

IDS = ["a", "a/1", "a/2", "b", "z", "ä", "日本", "\U0001f600"]


def pages(client, path, **query):
    found, cursor = [], None
    while True:
        given = {"k": 2} | (query if cursor is None else {"cursor": cursor})
        page = client.get(path, params=given)
        assert page.status_code == 200, page.text
        (name,) = page.json().keys() - {"cursor"}
        found += page.json()[name]
        if (cursor := page.json().get("cursor")) is None:
            return found


def test_items_are_listed_by_their_ids(client):
    assert pages(client, "/v1/items/all") == []
    items = [{"item": name, "properties": {"n": place}} for place, name in enumerate(IDS)]
    assert client.put("/v1/items", json={"items": items[::-1]}).status_code == 200
    client.delete("/v1/items", params={"item": "b"})
    client.post("/v1/items/hide", json={"items": ["z"]})
    found = pages(client, "/v1/items/all")
    assert [one["item"] for one in found] == [name for name in IDS if name != "b"]
    assert {one["item"]: one["hidden"] for one in found}["z"] and not found[0]["hidden"]
    assert found[1]["properties"] == {"n": 1}
    assert [one["item"] for one in pages(client, "/v1/items/all", begins="a")] == ["a", "a/1", "a/2"]
    assert [one["item"] for one in pages(client, "/v1/items/all", begins="a/2")] == ["a/2"]
    assert pages(client, "/v1/items/all", begins="a%") == []


def test_users_are_listed_whether_they_have_events_or_properties(client):
    users = [{"user": name, "properties": {"age": 3}} for name in IDS[::2]]
    assert client.put("/v1/users", json={"users": users}).status_code == 200
    events = [
        {"user": name, "item": "№1", "behaviour": "buy", "time": f"2026-01-0{day}T00:00:00Z"}
        for name in [*IDS[1::2], "a"]
        for day in (2, 1)
    ]
    assert client.post("/v1/events", json={"events": events}).json()["stored"] == len(events)
    found = [one for one in pages(client, "/v1/users/all") if not one["user"].startswith("ü")]  # the shop
    assert [one["user"] for one in found] == IDS
    assert [one["last_event"] is None for one in found] == [False, False, True, False] + [True, False] * 2
    assert found[0] == {"user": "a", "properties": {"age": 3}, "last_event": "2026-01-02T00:00:00Z"}
    assert [one["user"] for one in pages(client, "/v1/users/all", begins="a")] == ["a", "a/1", "a/2"]


def test_cursors_lead_through_their_own_route_and_tenant_alone(client, key):
    client.put("/v1/items", json={"items": [{"item": name} for name in IDS]})
    cursor = client.get("/v1/items/all", params={"k": 2}).json()["cursor"]
    other = {"Authorization": f"Bearer {key('admin', 2)}"}
    for path, headers, given in (
        ("/v1/users/all", {}, cursor),
        ("/v1/items/all", other, cursor),
        ("/v1/items/all", {}, cursor[:-1]),
    ):
        refused = client.get(path, params={"cursor": given}, headers=headers)
        assert refused.status_code == 400 and refused.json()["where"] == "cursor", refused.text


def test_a_condition_is_tried_before_a_rule_has_it(client):
    ids = [f"№{n}" for n in range(1, 4)]
    prices = [{"item": name, "properties": {"price": place}} for place, name in enumerate(ids)]
    client.put("/v1/items", json={"items": prices})
    client.put("/v1/users", json={"users": [{"user": "me", "properties": {"purse": 1}}]})

    def tried(**body):
        found = client.post("/v1/items/matching", json=body)
        assert found.status_code == 200, found.text
        return found.json()

    cheap = tried(filter="price < 2")
    assert cheap["matches"] == 2 and cheap["items"] == ids[:2] and cheap["of"] <= shop.NUM_ITEMS
    assert tried(filter="price <= user.purse", user="me")["matches"] == 2
    assert tried(filter="price <= context.purse", context={"purse": 0}, k=0) | {"model": ""} == {
        "model": "",
        "matches": 1,
        "of": cheap["of"],
        "items": [],
    }
    client.post("/v1/items/hide", json={"items": ids[:1]})
    assert (
        tried(filter="price < 2")["items"] == ids[1:2] and tried(filter="price < 2")["of"] == cheap["of"] - 1
    )
    for wrong in ("price <", "prize < 2", "price < 'x'"):
        refused = client.post("/v1/items/matching", json={"filter": wrong})
        assert refused.status_code == 400 and refused.json()["expected"], refused.text


@pytest.mark.parametrize("query", [{"k": 0}, {"k": 10**9}, {"begins": "x" * 201}, {"begin": "x"}, {"k": "x"}])
def test_what_is_no_page_is_refused(client, query):
    for path in ("/v1/items/all", "/v1/users/all"):
        assert client.get(path, params=query).status_code == 400
