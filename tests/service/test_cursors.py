"""Pages of one list: no item twice, the same page on a retry, whatever happens between."""

import base64
import zlib

import pytest

from intertask.service import cursors
from tests import shop


def ask(client, path="", status=200, **body):
    found = client.post(f"/v1/recommend{path}", json=body)
    assert found.status_code == status, found.text
    return found.json()


def ids(answer):
    return [one["item"] for one in answer["items"]]


def event(client, item, user="ü1"):
    body = {"events": [{"user": user, "item": item, "behaviour": "buy"}]}
    assert client.post("/v1/events", json=body).json()["stored"] == 1


def test_pages_put_together_are_the_whole_list(client):
    for first in ({"user": "ü1", "seen": False}, {"history": [{"item": "№3"}], "seen": False}, {"user": "?"}):
        whole = ids(ask(client, k=15, **first))
        page = ask(client, k=4, **first)
        found = ids(page)
        while page["cursor"] is not None:
            page = ask(client, "/next", cursor=page["cursor"])
            found += ids(page)
        assert found == whole and len(set(found)) == len(found)


def test_events_and_another_version_between_pages_change_none_of_them(client):
    first = ask(client, user="ü1", k=3, seen={"days": 30_000})
    undisturbed = [ids(first)]
    cursor = first["cursor"]
    while cursor is not None:
        page = ask(client, "/next", cursor=cursor)
        undisturbed.append(ids(page))
        cursor = page["cursor"]
    cursor, found = first["cursor"], [ids(first)]
    for place in range(len(undisturbed) - 1):
        event(client, shop.item_id(place))
        if place == 1:
            assert client.post("/v1/models/publish", json={"version": 2}).status_code == 200
        page = ask(client, "/next", cursor=cursor)
        again = ask(client, "/next", cursor=cursor)
        assert ids(again) == ids(page) and page["model"] == "v1"
        found.append(ids(page))
        cursor = page["cursor"]
    assert found == undisturbed and cursor is None
    fresh = ask(client, user="ü1", k=15, seen=True)
    assert fresh["model"] == "v2" and "№0" not in ids(fresh)


def test_an_item_that_is_hidden_is_on_no_later_page(client):
    first = ask(client, user="ü1", k=3, seen=False)
    (hidden, *_) = ids(ask(client, "/next", cursor=first["cursor"]))
    client.post("/v1/items/hide", json={"items": [hidden]})
    page = ask(client, "/next", cursor=first["cursor"], k=12)
    assert hidden not in ids(page) and len(ids(page)) == 11


def test_a_page_may_be_of_another_length(client):
    first = ask(client, user="ü1", k=2, seen=False)
    assert len(ids(ask(client, "/next", cursor=first["cursor"], k=5))) == 5


def test_what_is_no_cursor_is_refused_in_one_line(client, place, key, monkeypatch):
    from tests.service.asking import asking

    cursor = ask(client, user="ü1", k=2)["cursor"]
    whole = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    forged = whole[:32] + zlib.compress(zlib.decompress(whole[32:]).replace(b'"k":2', b'"k":9'))
    texts = ["x", "!!", "ü", cursor[:-2], cursor + "A", "A" * 65_536, cursor.swapcase()]
    texts.append(base64.urlsafe_b64encode(forged).decode().rstrip("="))
    for text in texts:
        found = ask(client, "/next", status=400, cursor=text)
        assert found["detail"].startswith("cursor: expected the cursor of an answer, found another text; ask")
    assert ask(client, "/next", status=400, cursor="A" * 65_537)["where"] == "cursor"
    with asking(place, key(tenant=2), "other") as other:
        assert ask(other, "/next", status=400, cursor=cursor)["where"] == "cursor"
    monkeypatch.setattr(cursors, "now", lambda: 2**60)
    assert "one of the last 30 minutes" in ask(client, "/next", status=400, cursor=cursor)["detail"]


def test_a_version_that_is_no_longer_kept_is_told(client, store):
    cursor = ask(client, user="ü1", k=2)["cursor"]
    with store.transaction():
        store.run("UPDATE models SET digest = 'gone' WHERE version = 1")
    found = ask(client, "/next", status=409, cursor=cursor)
    assert "cursor: expected one of a version that still answers, found version 1" in found["detail"]


@pytest.mark.parametrize(
    ("method", "path", "first"), [("POST", "/v1/similar", {"item": "№3"}), ("GET", "/v1/popular", {})]
)
def test_pages_of_what_is_the_same_for_everybody_hold_no_item_twice(client, method, path, first):
    def ask(body):
        return client.request(method, path, **({"json": body} if method == "POST" else {"params": body}))

    whole = ask(first | {"k": 100}).json()
    assert "cursor" not in whole
    found, body, last = [], first, ""
    while body is not None:
        page = ask(body | {"k": 3})
        assert page.status_code == 200
        assert page.json()["items"] == ask(body | {"k": 3}).json()["items"]
        found += page.json()["items"]
        cursor = page.json().get("cursor")
        last, body = cursor or last, {"cursor": cursor} if cursor else None
    assert [one["item"] for one in found] == [one["item"] for one in whole["items"]]
    other = client.post("/v1/recommend", json={"history": [{"item": "№3"}], "k": 3}).json()["cursor"]
    for cursor in (other, "x", last[:-3]):
        refused = ask({"cursor": cursor})
        assert refused.status_code == 400 and refused.json()["where"] == "cursor", refused.text
    assert client.post("/v1/recommend/next", json={"cursor": last}).status_code == 400


def test_a_hidden_item_is_on_no_later_page(client):
    page = client.get("/v1/popular", params={"k": 3}).json()
    hidden = client.get("/v1/popular", params={"k": 5}).json()["items"][3]["item"]
    client.post("/v1/items/hide", json={"items": [hidden]})
    later = client.get("/v1/popular", params={"k": 3, "cursor": page["cursor"]}).json()["items"]
    assert hidden not in [one["item"] for one in later] and len(later) == 3
