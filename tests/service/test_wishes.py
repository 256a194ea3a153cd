"""Filters, boosts and rules over live items, and the lists that are not the model's own."""

import math

import pytest

from tests import shop


def ask(client, status=200, route="recommend", **body):
    found = client.post(f"/v1/{route}", json={"user": "ü1", "k": 15, "seen": False} | body)
    assert found.status_code == status, found.text
    return found.json()


def ids(answer):
    return [one["item"] for one in answer["items"]]


def scores(answer):
    return {one["item"]: one["score"] for one in answer["items"]}


@pytest.fixture
def stocked(client):
    """Some items have properties."""
    items = [
        {
            "item": shop.item_id(n),
            "properties": {"price": 10 * n, "brand": "ab"[n % 2], "tags": [f"t{n % 3}"]},
        }
        for n in range(8)
    ]
    assert client.put("/v1/items", json={"items": items}).status_code == 200
    client.put("/v1/users", json={"users": [{"user": "ü1", "properties": {"brand": "a", "likes": ["t1"]}}]})
    return client


FILTERS = [
    ("price < 30", {0, 1, 2}),
    ("price < 30 and 'odd' in genres", {1}),  # the catalogue's columns too
    ("'t2' in tags", {2, 5}),
    ("brand == user.brand", {0, 2, 4, 6}),
    ("brand == user.brand and price > context.least", {4, 6}),
    ("not has(price)", set(range(8, 15))),
]


@pytest.mark.parametrize(("condition", "expected"), FILTERS)
def test_a_filter_reads_what_is_known_of_items_now(stocked, condition, expected):
    answer = ask(stocked, filter=condition, context={"least": 30})
    assert set(ids(answer)) == {shop.item_id(n) for n in expected}


def test_a_change_of_an_item_counts_in_the_next_list(stocked):
    assert "№1" in ids(ask(stocked, filter="price < 30"))
    stocked.patch("/v1/items", json={"items": [{"item": "№1", "properties": {"price": 99}}]})
    assert set(ids(ask(stocked, filter="price < 30"))) == {"№0", "№2"}
    assert set(ids(ask(stocked, filter="brand == 'b' and price == 99"))) == {"№1"}  # the rest stays
    stocked.patch("/v1/items", json={"items": [{"item": "№1", "properties": {"price": None}}]})
    assert "№1" in ids(ask(stocked, filter="not has(price)"))
    stocked.delete("/v1/items", params={"item": "№2"})
    assert ids(ask(stocked, filter="price < 30")) == ["№0"]
    stocked.put("/v1/items", json={"items": [{"item": "№0", "properties": {"genres": ["mine"]}}]})
    assert ids(ask(stocked, filter="'mine' in genres")) == ["№0"]
    assert "№0" not in ids(ask(stocked, filter="'even' in genres"))
    assert "№4" in ids(ask(stocked, filter="'even' in genres"))
    assert ids(ask(stocked, filter="price < 30")) == []


def test_a_condition_that_cannot_be_read_is_told_in_one_line(stocked):
    for body in ({"filter": "prize < 3"}, {"boost": [{"if": "prize < 3", "factor": 2}]}):
        detail = ask(stocked, 400, **body)["detail"]
        assert "expected columns of the catalogue" in detail and "set it: PUT /v1/items" in detail
    for boost in ([{"if": "price < 3"}], [{"if": "price < 3", "factor": 0}], [{"if": "", "factor": 1}], [{}]):
        assert "boost.0" in ask(stocked, 400, boost=boost)["detail"]
    assert "boost" in ask(stocked, 400, boost=[{"if": "price < 3", "factor": 2}] * 21)["detail"]
    assert "context" in ask(stocked, 400, context={"x": {}})["detail"]


def test_a_boost_multiplies_probabilities(stocked):
    plain, boosted = (
        scores(ask(stocked, **more))
        for more in (
            {},
            {"boost": [{"if": "brand == 'b'", "factor": 3}, {"if": "price > 40", "factor": 0.5}]},
        )
    )
    for n in range(15):
        factor = (3 if n % 2 and n < 8 else 1) * (0.5 if 4 < n < 8 else 1)
        assert boosted[shop.item_id(n)] - plain[shop.item_id(n)] == pytest.approx(math.log(factor), abs=1e-4)


def test_a_boost_multiplies_what_is_popular_and_what_an_objective_finds(stocked):
    for body in (
        {"user": "nobody"},
        {"objective": {"next": 1, "buys": 0.5}},
        {"objective": {"next": 1, "liked": 1}},
    ):
        plain, boosted = (
            scores(ask(stocked, boost=boost, **body)) for boost in ([], [{"if": "item == '№3'", "factor": 4}])
        )
        gain = 3 * plain["№3"] if "user" in body else math.log(4)
        assert boosted.pop("№3") - plain.pop("№3") == pytest.approx(gain, abs=1e-4)
        assert boosted == pytest.approx(plain, abs=1e-5)


def test_many_at_once_each_get_their_own_wishes(stocked):
    from concurrent.futures import ThreadPoolExecutor

    bodies = [
        {"filter": f"price < {10 * n}", "boost": [{"if": "price == 0", "factor": 1 + n}]} for n in range(1, 9)
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: ask(stocked, **body), bodies))
    assert [len(answer["items"]) for answer in answers] == list(range(1, 9))


def rule(client, status=200, **body):
    found = client.put("/v1/rules", json={"name": "r"} | body)
    assert found.status_code == status, found.text
    return found.json()


def test_rules_count_for_the_lists_that_they_are_for(stocked):
    rule(stocked, filter="price < 30", scenario="home", when="context.country == 'DE'")
    home = {"scenario": "home", "context": {"country": "DE"}}
    assert len(ids(ask(stocked, **home))) == 3
    assert len(ids(ask(stocked, scenario="home", context={"country": "FR"}))) == 15
    assert len(ids(ask(stocked))) == 15
    assert set(ids(ask(stocked, filter="brand == 'a'", **home))) == {"№0", "№2"}
    rule(stocked, name="s", boost=[{"if": "item == '№9'", "factor": 1000}])
    assert ids(ask(stocked))[0] == "№9"
    assert [one["name"] for one in stocked.get("/v1/rules").json()["rules"]] == ["r", "s"]
    assert stocked.get("/v1/rules").json()["rules"][1]["boost"] == [{"if": "item == '№9'", "factor": 1000.0}]
    rule(stocked, filter="price < 10")
    assert ids(ask(stocked)) == ["№0"]
    assert stocked.delete("/v1/rules", params={"name": "r"}).json() == {"changed": True}
    assert len(ids(ask(stocked))) == 15
    assert stocked.delete("/v1/rules", params={"name": "r"}).json() == {"changed": False}


def test_a_rule_that_cannot_be_read_is_refused_and_not_stored(stocked):
    for body, where in (
        ({"filter": "price <"}, "filter"),
        ({"filter": "__import__('os')"}, "filter"),
        ({"filter": "price < 'x'"}, "filter"),
        ({"boost": [{"if": "item == '№9'", "factor": 2}, {"if": "item ==", "factor": 2}]}, "boost.1.if"),
    ):
        refused = stocked.put("/v1/rules", json={"name": "r"} | body)
        assert refused.status_code == 400 and refused.json()["where"] == where, refused.text
    assert stocked.get("/v1/rules").json() == {"rules": []}
    rule(stocked, filter="not_yet == 1")  # items may have it later


def test_rules_have_their_time(stocked):
    rule(stocked, filter="price < 30", since="2020-01-01T00:00:00Z", until="2099-01-01T00:00:00+02:00")
    assert len(ids(ask(stocked))) == 3
    rule(stocked, filter="price < 30", since="2099-01-01T00:00:00Z")
    assert len(ids(ask(stocked))) == 15


def test_a_rule_that_cannot_be_followed_stops_no_list(stocked):
    rule(stocked, filter="season == 'summer'")
    answer = ask(stocked)
    assert len(ids(answer)) == 15 and answer["unknown"] == {"rules": 1}


def test_a_rule_that_cannot_be_is_refused(stocked):
    for body, words in (
        ({}, "body: expected a filter or a boost, found neither"),
        ({"filter": "price < 3", "when": "price < 3"}, "when: expected user.NAME or context.NAME"),
        ({"filter": "price < 3", "when": "1 +"}, "when: expected a condition"),
        ({"filter": "price < 3", "since": "soon"}, "since: expected a time with its offset"),
        ({"filter": "price < 3", "colour": 1}, "colour"),
    ):
        assert words in rule(stocked, 400, **body)["detail"]


def test_a_rule_of_one_tenant_is_nothing_to_another(stocked, place, key):
    from tests.service.asking import asking

    rule(stocked, filter="price < 30")
    with asking(place, key(tenant=2), "other") as other:
        assert other.get("/v1/rules").json() == {"rules": []}
        assert other.delete("/v1/rules", params={"name": "r"}).json() == {"changed": False}


def test_rerank_puts_given_items_into_their_order(stocked):
    whole = ids(ask(stocked))
    stocked.post("/v1/items/hide", json={"items": ["№5"]})
    found = stocked.post("/v1/rerank", json={"user": "ü1", "items": ["№5", "№2", "?", "№9", "№2"]}).json()
    assert ids(found) == [item for item in whole if item in ("№2", "№9")]
    assert found["left_out"] == ["№5", "?"]
    by_task = {
        "history": [{"item": "№3"}],
        "items": ["№1", "№2"],
        "task": "buys",
        "at": "2026-01-01T00:00:00Z",
    }
    assert len(ids(stocked.post("/v1/rerank", json=by_task).json())) == 2
    for body in ({"user": "ü1"}, {"user": "ü1", "items": []}, {"items": ["№1"]}):
        assert stocked.post("/v1/rerank", json=body).status_code == 400


def test_latest_are_the_items_that_were_set_last_known_or_not(stocked):
    new = [{"item": f"new{n}", "properties": {"price": n, "tags": ["x"]}} for n in range(3)]
    for one in new:
        stocked.put("/v1/items", json={"items": [one]})
    stocked.put("/v1/items", json={"items": [new[0] | {"hidden": True}]})
    stocked.put("/v1/items", json={"items": [{"item": "№7"}]})  # it is not new by being changed
    found = stocked.post("/v1/latest", json={"k": 3}).json()["items"]
    assert [one["item"] for one in found][:2] == ["new2", "new1"] and found[0]["properties"]["price"] == 2
    some = stocked.post(
        "/v1/latest", json={"filter": "'x' in tags and price < context.most", "context": {"most": 2}}
    )
    assert [one["item"] for one in some.json()["items"]] == ["new1"]
    assert "filter" in stocked.post("/v1/latest", json={"filter": "prize < 2"}).json()["detail"]


def test_parts_of_users_and_items_change_and_the_rest_stays(stocked):
    stocked.patch("/v1/users", json={"users": [{"user": "ü1", "properties": {"age": 3, "likes": None}}]})
    assert stocked.get("/v1/users", params={"user": "ü1"}).json()["properties"] == {"brand": "a", "age": 3}
    stocked.patch("/v1/items", json={"items": [{"item": "№1", "hidden": True}]})
    found = stocked.get("/v1/items", params={"item": "№1"}).json()
    assert found["hidden"] and found["properties"]["price"] == 10
    both = [{"item": "№1", "hidden": False}, {"item": "?"}]
    missing = stocked.patch("/v1/items", json={"items": both})
    assert missing.status_code == 404 and "items.1.item: expected an item that was set" in missing.text
    assert stocked.get("/v1/items", params={"item": "№1"}).json()["hidden"]
    stocked.delete("/v1/items", params={"item": "№1"})
    assert stocked.get("/v1/items", params={"item": "№1"}).status_code == 404


def test_pages_of_a_filtered_list_are_of_that_list(stocked):
    asked = {
        "filter": "brand == user.brand",
        "boost": [{"if": "price > 30", "factor": 2}],
        "context": {"a": 1},
    }
    whole = ids(ask(stocked, **asked))
    first = ask(stocked, k=3, **asked)
    further = stocked.post("/v1/recommend/next", json={"cursor": first["cursor"]}).json()
    assert ids(first) + ids(further) == whole and len(whole) == 4
