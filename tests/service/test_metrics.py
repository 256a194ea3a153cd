"""What is counted and written down of requests, and what never is."""

import json

from prometheus_client.parser import text_string_to_metric_families

from intertask.service.settings import Settings
from tests.service.asking import asking

EVENT = {"id": "secret-event", "user": "secret-user", "item": "secret-item", "behaviour": "buy"}


def numbers(client):
    found = client.get("/metrics")
    assert found.status_code == 200 and found.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(found.text)
        for sample in family.samples
    }


def risen(before, after, *name):
    return after.get(name, 0) - before.get(name, 0)


def test_requests_events_and_lists_are_counted(client):
    before = numbers(client)
    client.post("/v1/events", json={"events": [EVENT]})
    client.post("/v1/events", json={"events": [EVENT]})
    client.post("/v1/recommend", json={"user": "u", "deny": ["?", "!"]})
    client.post("/v1/recommend", json={})
    after = numbers(client)
    assert risen(before, after, "intertask_requests_total", "POST /v1/events", "200") == 2
    assert risen(before, after, "intertask_requests_total", "POST /v1/recommend", "400") == 1
    assert risen(before, after, "intertask_request_seconds_count", "POST /v1/recommend") == 2
    assert risen(before, after, "intertask_events_total", "stored") == 1
    assert risen(before, after, "intertask_events_total", "duplicate") == 1
    assert risen(before, after, "intertask_events_total", "of an unknown item") == 2
    assert risen(before, after, "intertask_lists_total", "nothing") == 1
    assert risen(before, after, "intertask_unknown_ids_total", "deny") == 2


def test_numbers_hold_no_id_and_need_a_key_that_may_read(client, key):
    client.post("/v1/events", json={"events": [EVENT]})
    client.get("/v1/users", params={"user": "secret-user"})
    assert "secret" not in client.get("/metrics").text
    assert client.get("/metrics", headers={"authorization": ""}).status_code == 401
    ingest = {"authorization": f"Bearer {key('ingest')}"}
    assert client.get("/metrics", headers=ingest).status_code == 403


def test_numbers_of_all_tenants_are_for_the_first_one_alone(client, key):
    own = {"Authorization": f"Bearer {key('admin', tenant=2)}"}
    refused = client.get("/metrics", headers=own)
    assert refused.status_code == 403 and "a key of the first tenant" in refused.json()["detail"]


def test_each_request_is_a_line_of_json_where_it_is_wanted_and_no_line_holds_an_id_or_a_key(
    place, store, key, capsys
):
    opens = key()
    wanted = place.model_copy(update={"settings": Settings(database=place.settings.database, log="requests")})
    with asking(wanted, opens) as client:
        capsys.readouterr()
        client.post("/v1/events", json={"events": [EVENT]}, headers={"x-request-id": "r1"})
        client.post("/v1/events", json={"events": [EVENT | {"item": "another"}]})
        client.get("/v1/users", params={"user": "secret-user"})
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["route"], one["status"]) for one in lines] == [
        ("POST /v1/events", 200),
        ("POST /v1/events", 409),
        ("GET /v1/users", 200),
    ]
    assert lines[0]["request"] == "r1" and lines[0]["milliseconds"] > 0
    written = json.dumps(lines)
    assert "secret" not in written and opens.rpartition("_")[2] not in written


def test_requests_that_are_answered_in_time_are_not_written_unless_wanted(client, capsys):
    capsys.readouterr()
    client.post("/v1/recommend", json={"user": "u"})
    client.post("/v1/recommend", json={})
    assert capsys.readouterr().err == ""
