import pytest

from intertask.service import limits
from intertask.service.limits import Limits
from intertask.service.refusals import BusyError
from intertask.service.tenants import Holder


def made(counting, holder, number):
    found = 0
    for _ in range(number):
        try:
            counting.count(holder)
        except BusyError:
            continue
        found += 1
    return found


@pytest.fixture
def clock(monkeypatch):
    found = [1_000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: found[0])
    return found


def test_a_key_makes_so_many_requests_and_no_more_by_whichever_process(tmp_path, clock):
    processes, holder = [Limits(tmp_path / "limits") for _ in range(2)], Holder(1, "read", "a", 10.0)
    assert made(processes[0], holder, 15) == 15
    assert made(processes[1], holder, 50) == 5  # two seconds' worth of both together
    clock[0] += 1.0
    assert made(processes[0], holder, 50) == 10
    clock[0] += 100.0
    assert made(processes[1], holder, 50) == 20
    assert made(processes[1], Holder(1, "read", "b", 10.0), 50) == 20  # each key its own
    assert made(processes[0], Holder(1, "read", "c"), 500) == 500
    clock[0] = 5.0  # the machine was started anew
    assert made(processes[0], holder, 50) == 20
    with pytest.raises(BusyError, match="at most 10 requests a second with this key"):
        processes[0].count(holder)
    for one in processes:
        one.close()


def test_more_keys_than_places_are_each_limited_still(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(limits, "PLACES", 32)
    counting = Limits(tmp_path / "limits")
    for number in range(200):
        clock[0] += 0.001
        assert made(counting, Holder(1, "read", str(number), 1.0), 5) == 2
    counting.close()


def test_more_requests_at_once_than_can_be_are_refused_as_a_problem(client, monkeypatch):
    monkeypatch.setattr(client.app.state.running, "under_way", 800)
    refused = client.get("/v1/models")
    assert refused.status_code == 429 and refused.headers["retry-after"] == "1"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["expected"] == "at most 800 at once"
    monkeypatch.setattr(client.app.state.running, "under_way", 0)
    assert client.get("/v1/models").status_code == 200
    assert client.app.state.running.under_way == 0


def test_lists_are_refused_before_they_are_read_while_too_many_wait(client, monkeypatch):
    monkeypatch.setattr(type(client.app.state.running.engine), "full", True)
    refused = client.post("/v1/recommend", content=b"{" * 10_000, headers={"authorization": "nobody"})
    assert refused.status_code == 429 and refused.json()["expected"] == "at most 256 that wait"
    assert refused.headers["retry-after"] == "1" and refused.json()["request"]
    assert client.get("/v1/models").status_code == 200  # what does not wait for the model is answered
    assert client.get("/healthz").status_code == 200


def test_refused_paths_that_nobody_made_are_one_number(client, monkeypatch):
    monkeypatch.setattr(client.app.state.running, "under_way", 800)
    assert client.get("/v1/made-up-to-fill-memory").status_code == 429
    monkeypatch.setattr(client.app.state.running, "under_way", 0)
    numbers = client.get("/metrics").text
    assert 'route="another"' in numbers and "made-up" not in numbers


def test_too_many_requests_are_answered_429_with_a_time(client):
    made = client.post("/v1/keys", json={"role": "read", "label": "x", "per_second": 0.5}).json()
    headers = {"authorization": f"Bearer {made['key']}"}
    found = [client.get("/v1/models", headers=headers) for _ in range(4)]
    assert [one.status_code for one in found].count(429) >= 2
    assert found[-1].headers["retry-after"] == "1" and "requests a second" in found[-1].json()["detail"]
    assert client.get("/v1/models").status_code == 200
    listed = {one["public"]: one["per_second"] for one in client.get("/v1/keys").json()["keys"]}
    assert listed[made["public"]] == 0.5


def test_a_tenant_is_made_by_the_first_ones_keys_alone(client, place, key):
    from tests.service.asking import asking

    made = client.post("/v1/tenants", json={"name": "another"}).json()
    assert client.get("/v1/tenants").json() == {"tenants": ["one", "two", "another"]}
    assert client.post("/v1/tenants", json={"name": "another"}).status_code == 409
    own = {"authorization": f"Bearer {made['key']}"}
    assert client.get("/v1/models", headers=own).json() == {"models": []}
    with asking(place, key(tenant=2), "other") as other:
        assert other.post("/v1/tenants", json={"name": "x"}).status_code == 403
        assert other.get("/v1/tenants").status_code == 403
