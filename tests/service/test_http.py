"""What every route does alike: keys, roles, tenants, limits, and refusals in one clear line."""

import gzip

import pytest

from intertask.service.routes import ROUTES
from intertask.service.tenants import ROLES
from tests.service.asking import asking

EVENT = {"id": "e1", "user": "u", "item": "№1", "behaviour": "buy", "time": "2026-11-01T10:00:00Z"}


def changed(**parts):
    return {"events": [EVENT | parts]}


def without(name):
    return {"events": [{key: value for key, value in EVENT.items() if key != name}]}


MALFORMED = [
    (b"", "events: expected a value, found nothing"),
    (b"[]", "body: expected an object, found []"),
    (b"{", "body: expected JSON in UTF-8"),
    (b"\xff\xfe", "body: expected JSON in UTF-8"),
    (b'{"events": [], "events": []}', "expected each name of a table once"),
    (b'{"events": NaN}', "expected a finite number"),
    (b'{"events": 1e999}', "expected a finite number"),
    (b'{"events": ' + b"9" * 5_000 + b"}", "body: expected numbers of 64 bits"),
    (b'{"events": 99999999999999999999}', "expected a number of 64 bits at most"),
    (b"[" * 100_000, "expected at most 20 tables or lists in each other"),
    (b'{"events": [{"user": "\\ud800"}]}', "expected text in Unicode, found half of a character"),
    (b'{"events": [{"user": "a\\u0000b"}]}', "found text with a NUL character"),
    ({"events": []}, "events: expected"),
    ({"events": [EVENT] * 5_001}, "events: expected"),
    ({"events": {"0": EVENT}}, "events: expected a list"),
    ({"event": [EVENT]}, "event"),
    (changed(colour="red"), "events.0.colour: expected one of"),
    (without("user"), "events.0.user: expected a value, found nothing"),
    (without("item"), "events.0.item: expected a value, found nothing"),
    (without("behaviour"), "events.0.behaviour: expected a value, found nothing"),
    (changed(user=""), "events.0.user: expected an id of at least one character"),
    (changed(user=" \t"), "events.0.user: expected an id of at least one character"),
    (changed(user=1.5), "events.0.user: expected an id: text or a whole number, found 1.5"),
    (changed(user=True), "events.0.user: expected an id: text or a whole number, found True"),
    (changed(user=None), "events.0.user: expected an id"),
    (changed(item=["x"]), "events.0.item: expected an id"),
    (changed(item="x" * 201), "events.0.item: expected an id of at most 200 characters, found one of 201"),
    (changed(behaviour="seen"), "events.0.behaviour: expected one of buy, cart, view, found 'seen'; name"),
    (changed(behaviour=""), "events.0.behaviour: expected"),
    (changed(time="2026-11-01T10:00:00"), "events.0.time: expected a time with its offset"),
    (changed(time="2026-02-30T10:00:00Z"), "events.0.time: expected a time that there is"),
    (changed(time="2126-11-01T10:00:00Z"), "events.0.time: expected a time from 1970 on and not later than"),
    (changed(time="1969-11-01T10:00:00Z"), "events.0.time: expected a time from 1970 on"),
    (changed(time="0001-01-01T00:00:00+14:00"), "events.0.time: expected a time"),
    (changed(time="٢٠٢٦-11-01T10:00:00Z"), "events.0.time: expected a time with its offset"),
    (
        changed(time=1_700_000_000),
        "events.0.time: expected a time such as 2026-12-01T10:00:00Z, found a number",
    ),
    (changed(time="yesterday"), "events.0.time: expected a time with its offset"),
    (changed(value="3"), "events.0.value: expected a finite number, found '3'"),
    (changed(value=True), "events.0.value: expected a finite number, found True"),
]


def assert_refused(found, status, words):
    assert found.status_code == status, found.text
    assert found.headers["content-type"] == "application/problem+json"
    table = found.json()
    assert table["status"] == status and words in table["detail"], table["detail"]
    assert "\n" not in table["detail"] and table["request"] == found.headers["x-request-id"]
    assert table["detail"].startswith(f"{table['where']}: expected ")


def test_malformed_events_are_refused_in_one_line_and_nothing_is_stored(client, store):
    before = store.rows("SELECT count(*) FROM events")
    good = dict(EVENT, id="good")
    for body, words in MALFORMED:
        if isinstance(body, bytes):
            assert_refused(client.post("/v1/events", content=body), 400, words)
            continue
        if isinstance(body.get("events"), list) and len(body["events"]) == 1:  # a good one before it, too
            two = {"events": [good, *body["events"]]}
            assert_refused(client.post("/v1/events", json=two), 400, words.replace("events.0", "events.1"))
        assert_refused(client.post("/v1/events", json=body), 400, words)
    assert store.rows("SELECT count(*) FROM events") == before


MALFORMED_ASKING = [
    ({}, "body: expected a user, a history or attributes, found none of them"),
    ({"user": "u", "k": 0}, "k: expected 1 or more, found 0"),
    ({"user": "u", "k": 1_001}, "k: expected 1,000 or less, found 1001"),
    ({"user": "u", "k": True}, "k: expected a whole number, found True"),
    ({"user": "u", "k": 2.0}, "k: expected"),
    ({"user": "u", "task": "x"}, "task: expected one that ranks items: next, buys, found 'x'"),
    ({"user": "u", "behaviour": "x"}, "behaviour: expected"),
    ({"user": "u", "behaviour": "buy", "task": "next"}, "expected a task or a behaviour, found both"),
    ({"user": "u", "objective": {"x": 1}}, "objective: expected tasks that know items"),
    ({"user": "u", "objective": {"next": -1}}, "objective: expected a task with a weight above zero"),
    ({"user": "u", "objective": {}}, "objective: expected"),
    ({"user": "u", "objective": {"next": "1"}}, "objective.next: expected a finite number"),
    ({"user": "u", "filter": "import os"}, "filter: expected a condition on columns of the catalogue"),
    ({"user": "u", "filter": "__import__('os').system('x')"}, "filter: expected a condition"),
    ({"user": "u", "filter": "price < 3"}, "filter: expected columns of the catalogue"),
    ({"user": "u", "boost": [{"if": "price <", "factor": 2}]}, "boost.0.if: expected a condition"),
    ({"user": "u", "filter": "(" * 2_000}, "filter: expected a condition"),
    ({"user": "u", "filter": "x" * 2_001}, "filter: expected"),
    ({"history": [{"item": "№1", "behaviour": "x"}]}, "history.0.behaviour: expected one of buy, cart, view"),
    ({"history": [{}]}, "history.0.item: expected a value, found nothing"),
    ({"history": [{"item": "№1"}] * 1_001}, "history: expected"),
    ({"user": "u", "allow": "№1"}, "allow: expected"),
    ({"user": "u", "allow": [[]]}, "allow.0: expected an id"),
    ({"user": "u", "seen": "no"}, "seen"),
    ({"user": "u", "seen": {"days": 0}}, "seen"),
    ({"user": "u", "at": "now"}, "at: expected a time with its offset"),
]


def test_malformed_questions_are_refused_in_one_line(client):
    for body, words in MALFORMED_ASKING:
        assert_refused(client.post("/v1/recommend", json=body), 400, words)


def test_a_query_has_each_name_once_and_is_unicode(client):
    for query, words in (
        ("item=a&item=b", "query: expected each name once, found 'item' twice"),
        ("item=%ED%A0%80", "query: expected text in UTF-8"),
        ("item=%FF", "query: expected text in UTF-8"),
        ("&".join(f"n{place}=1" for place in range(101)), "100 names at most"),
    ):
        refused = client.get(f"/v1/items?{query}")
        assert refused.status_code == 400 and words in refused.json()["detail"], refused.text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"{}", mtime=0), "body: expected JSON in UTF-8, found gzip; send it unpacked"),
        (b'{"user": "\xff"}', "body: expected JSON in UTF-8, found the byte 0xff at 10"),
        (b'{"user": "u", "k": ' + b"9" * 5_000 + b"}", "body: expected numbers of 64 bits at most"),
    ],
)
def test_a_body_that_is_no_json_is_refused_in_plain_words(client, content, words):
    refused = client.post("/v1/recommend", content=content)
    assert refused.status_code == 400 and words in refused.json()["detail"], refused.text


def test_a_body_above_the_limit_is_refused_whether_its_length_is_told_or_not(client):
    words = "body: expected at most 4,194,304 bytes"
    untold = client.post("/v1/events", content=(b" " * 65_536 for _ in range(66)))
    assert "content-length" not in untold.request.headers
    assert_refused(untold, 413, words)
    assert_refused(
        client.post("/v1/events", content=b"{}", headers={"content-length": "5000000"}), 413, words
    )


def test_a_request_may_be_sent_again_and_a_key_is_of_one_request(client):
    first = client.post("/v1/events", json=changed(), headers={"idempotency-key": "k1"}).json()
    again = client.post("/v1/events", json=changed(), headers={"idempotency-key": "k1"}).json()
    assert again == first | {"replayed": True}
    other = client.post("/v1/events", json=changed(id="e2"), headers={"idempotency-key": "k1"})
    assert_refused(other, 422, "Idempotency-Key: expected a new key for a new request")
    for key in ("", "x" * 256, "a b", "ü".encode("latin-1").decode("latin-1")):
        found = client.post("/v1/events", json=changed(), headers={"idempotency-key": key.encode("latin-1")})
        assert_refused(found, 400, "Idempotency-Key: expected 1 to 255 printable characters")
    conflict = client.post("/v1/events", json=changed(item="№2"))
    assert_refused(conflict, 409, "events.0 id: expected a new id for another event, found 'e1'")


def test_no_key_no_answer(client):
    for value in (
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic eDp5",
        "Bearer it_000000000000_x",
        "Bearer \xff",
    ):
        found = client.get("/v1/models", headers={"authorization": value.encode("latin-1")})
        assert_refused(found, 401, "Authorization: expected Bearer and a key")
        assert found.headers["www-authenticate"] == "Bearer"


def test_unknown_paths_and_methods_are_told_which_there_are(client):
    assert_lines = [
        (client.get("/v1/nothing"), 404, "request: expected a path of /openapi.json, found GET /v1/nothing"),
        (client.put("/v1/recommend"), 405, "request: expected POST /v1/recommend, found PUT /v1/recommend"),
    ]
    for found, status, words in assert_lines:
        assert found.status_code == status and found.json()["detail"] == words


def test_things_are_set_read_and_deleted(client):
    item = {"item": 9, "properties": {"price": 1.5, "tags": ["a"], "new": True, "note": None}}
    assert client.put("/v1/items", json={"items": [item]}).json() == {"changed": True}
    found = client.get("/v1/items", params={"item": "9"}).json()
    assert found == {"item": "9", "properties": item["properties"], "hidden": False}
    assert client.delete("/v1/items", params={"item": "9"}).json() == {"changed": True}
    assert_refused(client.get("/v1/items", params={"item": "9"}), 404, "item: expected an item that was set")
    client.put("/v1/users", json={"users": [{"user": "x/y", "properties": {"age": 3}}]})
    client.post("/v1/events", json=changed(user="visitor"))
    client.post("/v1/users/merge", json={"user": "visitor", "into": "x/y"})
    found = client.get("/v1/users", params={"user": "x/y"}).json()
    assert found["properties"] == {"age": 3}
    assert [(one["id"], one["time"]) for one in found["events"]] == [("e1", "2026-11-01T10:00:00Z")]
    assert client.delete("/v1/users", params={"user": "x/y"}).json() == {"changed": True}
    assert_refused(client.get("/v1/users", params={"user": "x/y"}), 404, "user: expected somebody")
    assert_refused(client.get("/v1/users"), 400, "user: expected a value, found nothing")
    assert_refused(client.get("/v1/users?user=a&x=1"), 400, "x: expected one of user")
    assert_refused(client.get("/v1/users?user=a%00b"), 400, "NUL")


def test_the_recipe_of_a_version_is_shown(client):
    newest = client.get("/v1/models").json()["models"][0]
    found = client.get("/v1/models/recipe", params={"version": newest["version"]}).json()
    assert found["version"] == newest["version"] and found["recipe"]["width"] == newest["facts"]["width"]
    for wrong, status in ((99, 404), (0, 400), ("x", 400)):
        assert client.get("/v1/models/recipe", params={"version": wrong}).status_code == status


def test_keys_are_made_shown_once_and_taken_back(client):
    made = client.post("/v1/keys", json={"role": "read", "label": "shop"}).json()
    listed = client.get("/v1/keys").text
    assert made["public"] in listed and made["key"] not in listed
    with_it = {"authorization": f"Bearer {made['key']}"}
    assert client.get("/v1/models", headers=with_it).status_code == 200
    assert client.post("/v1/keys/revoke", json={"public": made["public"]}).json() == {"changed": True}
    client.app.state.running._keys.clear()  # what is known of a key is looked up again after a second
    assert client.get("/v1/models", headers=with_it).status_code == 401
    assert_refused(client.post("/v1/keys/revoke", json={"public": "x"}), 404, "key: expected the public part")
    assert_refused(client.post("/v1/keys", json={"role": "god", "label": "x"}), 400, "role: expected")


def test_changes_are_written_down_with_the_key_that_made_them(client, key):
    made = client.post("/v1/keys", json={"role": "editor", "label": "x"}).json()
    editor = {"authorization": f"Bearer {made['key']}"}
    client.post("/v1/items/hide", json={"items": ["№1", "№2"]}, headers=editor)
    client.post("/v1/events", json=changed(user="somebody"))
    client.delete("/v1/users", params={"user": "somebody"}, headers=editor)
    client.post("/v1/models/publish", json={"version": 2})
    client.post("/v1/models/publish", json={"version": 99})
    found = client.get("/v1/audit", params={"most": 4}).json()["changes"]
    (own,) = {one["key"] for one in found} - {made["public"]}
    assert [(one["action"], one["key"], one["subject"]) for one in found] == [
        ("raise", own, "active: version 2"),
        ("delete_person", made["public"], ""),  # who is deleted is written down nowhere
        ("hide_items", made["public"], "2 items, hidden: True"),
        ("add_key", own, f"{made['public']}: editor"),
    ]
    assert "somebody" not in client.get("/v1/audit").text


def test_a_role_does_what_it_may_and_nothing_else(client, key):
    held = {role: key(role) for role in ROLES}
    tried = 0
    for route in ROUTES:
        for role in ROLES:
            found = client.request(
                route.method, route.path, headers={"authorization": f"Bearer {held[role]}"}, content=b"{}"
            )
            tried += 1
            if role in route.roles:
                assert found.status_code not in (401, 403) and found.status_code < 500, (route.path, role)
            else:
                assert_refused(found, 403, f"expected a key of the role {' or '.join(route.roles)}")
    assert tried == len(ROUTES) * 5


def test_a_tenant_sees_nothing_of_another(client, place, key):
    client.put("/v1/items", json={"items": [{"item": "№1"}]})
    client.post("/v1/events", json=changed())
    with asking(place, key(tenant=2), "other") as other:
        assert other.get("/v1/models").json() == {"models": []}
        assert other.get("/v1/items", params={"item": "№1"}).status_code == 404
        assert other.get("/v1/users", params={"user": "u"}).status_code == 404
        assert not other.delete("/v1/users", params={"user": "u"}).json()["changed"]
        assert other.post("/v1/models/publish", json={"version": 1}).status_code == 404
        assert other.post("/v1/models/rollback").status_code == 409
        assert other.post("/v1/similar", json={"item": "№1"}).status_code == 404
        assert len(other.get("/v1/keys").json()["keys"]) == 1
        assert other.post("/v1/events", json=changed()).json()["stored"] == 1
    assert len(client.get("/v1/users", params={"user": "u"}).json()["events"]) == 1


def test_health_says_whether_it_can_answer(client, monkeypatch):
    assert client.get("/healthz").json() == {"status": "ok", "database": "ok", "models": 1}
    assert client.get("/livez", headers={"authorization": ""}).status_code == 200
    from intertask.service.refusals import UnavailableError

    def gone():
        raise UnavailableError("database", "one", "none")

    monkeypatch.setattr(client.app.state.running.access, "here", gone)
    assert client.get("/healthz").json() == {"status": "degraded", "database": "unavailable", "models": 1}
    found = client.get("/v1/models")
    assert_refused(found, 503, "database: expected one, found none")
    assert found.headers["retry-after"] == "1"


def test_a_fault_of_ours_is_one_line_and_its_trace_is_in_the_log(client, monkeypatch, capsys):
    async def broken(*_arguments):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(client.app.state.running.access, "read", broken)
    found = client.get("/v1/users", params={"user": "u"})
    assert_refused(found, 500, "service: expected an answer, found ZeroDivisionError")
    assert "secret" not in found.text and "ZeroDivisionError" in capsys.readouterr().err


def test_a_request_keeps_the_id_that_it_came_with_if_it_is_one(client):
    for name in ("abc-1", "x" * 65, "a b", ""):
        found = client.get("/v1/models", headers={"x-request-id": name})
        assert (found.headers["x-request-id"] == name) == (name == "abc-1")
