"""No key of a tenant shows or changes anything of another one, by whichever route; no key is in the log."""

import re
import time

import pytest

from intertask.service.routes import ROUTES
from intertask.service.settings import Settings
from intertask.service.tenants import ROLES
from intertask.service.versions import AddVersion, Raise
from tests.service.asking import asking

MARK = re.compile(r"zqx-[a-z]+")  # in whatever the first tenant has
FILLED = (
    "tenants",
    "keys",
    "events",
    "people",
    "items",
    "jobs",
    "models",
    "aliases",
    "audit",
    "answers",
    "rules",
)
FILLED += ("experiments", "webhooks")
TABLES = (*FILLED, "requests", "pins", "canaries", "canary_counts", "deliveries")
EVENT = {"id": "zqx-event", "user": "zqx-user", "item": "№1", "behaviour": "buy", "session": "zqx-session"}
ITEM = {"item": "zqx-item", "properties": {"title": "zqx-title"}}
USER = {"user": "zqx-user", "properties": {"city": "zqx-city"}}
ARMS = {"name": "zqx-experiment", "arms": [{"name": "zqx-control"}, {"name": "zqx-arm"}]}


@pytest.fixture
def known(address, client, store):
    """What the first tenant has: names that another may ask by, beside what nobody else may be told."""
    if address != "sqlite":
        pytest.skip("what differs between databases is tested elsewhere")

    def done(method, path, **parts):
        found = client.request(method, path, **parts)
        assert found.status_code == 200, found.text
        return found.json()

    done("PUT", "/v1/items", json={"items": [ITEM]})
    done("PUT", "/v1/users", json={"users": [USER]})
    done("POST", "/v1/events", json={"events": [EVENT]})
    done("PUT", "/v1/rules", json={"name": "zqx-rule", "filter": "item != 'zqx-none'"})
    done("PUT", "/v1/experiments", json=ARMS)
    done("PUT", "/v1/webhooks", json={"name": "zqx-hook", "url": "https://zqx-host.example/"})
    done("POST", "/v1/tenants", json={"name": "zqx-tenant"})
    public = done("POST", "/v1/keys", json={"role": "read", "label": "zqx-label"})["public"]
    jobs = [done("POST", "/v1/export")["job"] for _ in range(2)]
    given = done("POST", "/v1/recommend", json={"user": "zqx-user", "k": 3, "scenario": "zqx-place"})
    similar = done("POST", "/v1/similar", json={"item": "№1", "k": 2})
    listed = done("GET", "/v1/jobs/all", params={"k": 1})
    things = {name: done("GET", f"/v1/{name}/all", params={"k": 1}) for name in ("items", "users")}
    end = time.monotonic() + 5
    while not done("GET", "/v1/recommendations", params={"user": "zqx-user"})["lists"]:
        assert time.monotonic() < end  # lists are kept a moment after they were given
    return {
        "public": public,
        "job": jobs[0],
        "recommendation": given["recommendation"],
        "cursor": given["cursor"],
        "similar": similar["cursor"],
        "jobs": listed["cursor"],
        "items": things["items"]["cursor"],
        "users": things["users"]["cursor"],
    }


def bodies(known):
    """A body or a query for each route, that names what the first tenant has."""
    job, name = {"job": known["job"]}, {"name": "zqx-experiment"}
    return {
        "POST /v1/events": {
            "events": [
                {"id": "mine", "user": "zqx-user", "item": "№1", "behaviour": "buy"}
                | {"recommendation": known["recommendation"]}
            ]
        },
        "POST /v1/recommend": {"user": "zqx-user", "allow": ["zqx-item"], "scenario": "home"},
        "POST /v1/recommend/next": {"cursor": known["cursor"]},
        "GET /v1/recommendations": {"recommendation": known["recommendation"]},
        "POST /v1/rerank": {"user": "zqx-user", "items": ["zqx-item", "№1"]},
        "POST /v1/predict": {"user": "zqx-user", "items": ["zqx-item", "№1"], "task": "liked"},
        "POST /v1/latest": {"k": 100},
        "POST /v1/similar": {"cursor": known["similar"]},
        "GET /v1/popular": {"cursor": known["similar"]},
        "PUT /v1/items": {"items": [{"item": "zqx-item"}]},
        "PATCH /v1/items": {"items": [{"item": "zqx-item", "hidden": True}]},
        "GET /v1/items/all": {"cursor": known["items"]},
        "POST /v1/items/matching": {"filter": "item == 'zqx-item'", "user": "zqx-user"},
        "GET /v1/items": {"item": "zqx-item"},
        "DELETE /v1/items": {"item": "zqx-item"},
        "POST /v1/items/hide": {"items": ["zqx-item", "№1"]},
        "PUT /v1/users": {"users": [{"user": "zqx-user"}]},
        "PATCH /v1/users": {"users": [{"user": "zqx-user"}]},
        "GET /v1/users/all": {"cursor": known["users"]},
        "GET /v1/users": {"user": "zqx-user"},
        "DELETE /v1/users": {"user": "zqx-user"},
        "POST /v1/users/merge": {"user": "zqx-user", "into": "me"},
        "PUT /v1/rules": {"name": "zqx-rule", "filter": "item == '№1'"},
        "GET /v1/rules": {},
        "DELETE /v1/rules": {"name": "zqx-rule"},
        "PUT /v1/experiments": ARMS | {"arms": [{"name": "a"}, {"name": "b"}]},
        "POST /v1/experiments/size": {"scenario": "zqx-place"},
        "GET /v1/experiments": {},
        "POST /v1/experiments/end": name,
        "GET /v1/experiments/result": name,
        "POST /v1/experiments/estimate": {"version": 2, "goals": ["buy"]},
        "GET /v1/models": {},
        "GET /v1/models/recipe": {"version": 2},
        "POST /v1/models/publish": {"version": 2},
        "POST /v1/models/rollback": {},
        "POST /v1/import": {"name": "x.csv"},
        "POST /v1/export": {},
        "GET /v1/export": job,
        "GET /v1/jobs": job,
        "POST /v1/jobs/stop": job,
        "POST /v1/models": {"name": "x.zip"},
        "POST /v1/train": {},
        "POST /v1/tune": {},
        "GET /v1/tune/report": job,
        "GET /v1/jobs/all": {"cursor": known["jobs"]},
        "POST /v1/erase": {"user": "zqx-user"},
        "GET /v1/tenants": {},
        "POST /v1/tenants": {"name": "zqx-tenant"},
        "PUT /v1/webhooks": {"name": "zqx-hook", "url": "https://other.example/"},
        "GET /v1/webhooks": {},
        "DELETE /v1/webhooks": {"name": "zqx-hook"},
        "GET /v1/keys": {},
        "GET /v1/audit": {"most": 100},
        "POST /v1/keys": {"role": "read", "label": "mine"},
        "POST /v1/keys/revoke": {"public": known["public"]},
    }


# What is of one tenant alone: whoever asks by its name is told that there is no such thing.
REFUSED = {
    "POST /v1/recommend/next": 400,
    "POST /v1/similar": 400,
    "GET /v1/jobs/all": 400,
    "GET /v1/items/all": 400,
    "GET /v1/users/all": 400,
    "GET /v1/models/recipe": 404,
    "POST /v1/models/publish": 404,
    "GET /v1/export": 404,
    "GET /v1/jobs": 404,
    "POST /v1/jobs/stop": 404,
    "GET /v1/tune/report": 404,
    "GET /v1/tenants": 403,
    "POST /v1/tenants": 403,
    "POST /v1/keys/revoke": 404,
}


def rows(store):
    """All that the store has of the first tenant."""
    return {name: sorted(map(str, store.rows(f"SELECT * FROM {name} WHERE tenant = 1"))) for name in TABLES}


def test_whatever_another_tenant_asks_it_is_told_and_changes_nothing_of_the_first(
    known, place, store, key, shop_models, capsys
):
    held = {role: key(role, tenant=2) for role in ROLES}
    first = shop_models[1][0]
    with store.transaction():
        AddVersion(tenant=2, digest=first.digest, facts=first.facts).run(store)
        Raise(tenant=2, version=1).run(store)
    before, asked, tried, said = rows(store), bodies(known), 0, ""
    assert all(before[name] for name in FILLED)
    assert asked.keys() == {f"{route.method} {route.path}" for route in ROUTES}
    capsys.readouterr()
    logged = place.model_copy(update={"settings": Settings(log="requests")})
    with asking(logged, held["admin"], "other") as other:
        for route in ROUTES:
            label = f"{route.method} {route.path}"
            sent = {"params": asked[label], "content": b""} if route.in_query else {"json": asked[label]}
            for role in ROLES:
                headers = {"authorization": f"Bearer {held[role]}"}
                found = other.request(route.method, route.path, headers=headers, **sent)
                tried, said = tried + 1, said + str(sent)
                if role not in route.roles:
                    assert found.status_code == 403, (label, role, found.text)
                    continue
                assert found.status_code == REFUSED.get(label, found.status_code) < 500, (
                    label,
                    role,
                    found.text,
                )
                told = set(MARK.findall(found.text)) | {one for one in known.values() if one in found.text}
                assert all(one in said for one in told), (label, role, found.text)
        assert other.get(
            "/v1/users", params={"user": "zqx-user"}, headers={"authorization": "Bearer it_0_zqx-key"}
        )
    assert tried >= 200
    assert rows(store) == before
    log = "".join(capsys.readouterr())
    assert log.count('"route"') >= tried - 1
    for secret in [*held.values(), "zqx-"]:
        assert secret.split("_", 2)[-1] not in log
