"""Candidates: some users get them, what does worse goes back by itself, what does not is published."""

import pytest

from intertask.service import canaries, schema
from intertask.service.canaries import Counts, wrong
from intertask.service.watching import look

FINE = Counts(1_000, 2, 10, 10.0)


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        (Counts(), ""),
        (Counts(100, 0, 0, 1.0), ""),
        (Counts(19, 19, 19, 99.0), ""),  # too few to say
        (Counts(40, 4, 0, 0.4), "answers from popularity: 10% of 40 lists, 0% before"),
        (Counts(100, 0, 30, 1.0), "empty lists: 30%"),
        (Counts(100, 0, 1, 9.0), "slow: 90 ms a list, 10 ms before"),
        (Counts(40, 0, 0, 9.0), ""),
        (Counts(100, 0, 1, 1.9), ""),
    ],
)
def test_what_is_worse_is_told(candidate, words):
    assert wrong(candidate, FINE).startswith(words) and bool(wrong(candidate, FINE)) == bool(words)
    assert wrong(Counts(100, 50, 0, 1.0), Counts(100, 50, 0, 1.0)) == ""  # both are ill: not its doing


def publish(client, status=200, **canary):
    found = client.post("/v1/models/publish", json={"version": 2, "canary": canary})
    assert found.status_code == status, found.text
    client.app.state.running.treatments._known.clear()
    return found.json()


def models(client, number=60):
    client.app.state.running.treatments._known.clear()
    found = [
        client.post("/v1/recommend", json={"user": f"u{n}", "k": 2}).json()["model"] for n in range(number)
    ]
    client.portal.call(client.app.state.running.treatments.flush)
    return found


def watch(client):
    client.portal.call(look, client.app.state.running.access)
    return client.get("/v1/models").json()


def test_some_users_get_it_and_always_the_same_ones(client):
    assert publish(client, share=0.3, minutes=5) == {"version": 1, "before": None, "canary": 2}
    first = models(client)
    assert 6 <= first.count("v2") <= 30 and models(client) == first
    assert client.get("/v1/models").json()["canary"]["version"] == 2
    assert publish(client, 409, share=0.3)["detail"].startswith("canary: expected no other candidate")
    assert client.post("/v1/models/rollback").json() == {"version": 1, "before": None}
    assert set(models(client)) == {"v1"} and "canary" not in client.get("/v1/models").json()


def test_one_that_fails_goes_back_by_itself(client, monkeypatch, capsys):
    publish(client, share=0.5, minutes=5)
    engine = client.app.state.running.engine
    digest = next(one["digest"] for one in client.get("/v1/models").json()["models"] if one["version"] == 2)
    monkeypatch.setattr(engine.models[digest], "rank", lambda together: 1 / 0)
    models(client)
    found = watch(client)
    assert "canary" not in found and [one["active"] for one in found["models"]] == [False, True]
    assert set(models(client)) == {"v1"}
    (last, *_) = client.get("/v1/audit").json()["changes"]
    assert last["key"] == "canary" and last["subject"].startswith(
        "version 2 taken back: answers from popularity"
    )
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_one_whose_time_is_over_is_published(client, monkeypatch):
    publish(client, share=0.5, minutes=5)
    models(client)
    assert watch(client)["canary"]["version"] == 2  # not yet
    monkeypatch.setattr("intertask.service.watching.now", lambda: schema.now() + 6 * canaries.MINUTE)
    found = watch(client)
    assert "canary" not in found and [one["active"] for one in found["models"]] == [True, False]
    assert set(models(client)) == {"v2"}
    assert client.post("/v1/models/rollback").json() == {"version": 1, "before": 2}


def test_a_canary_that_cannot_be_is_refused(client):
    for canary, words in (
        ({"share": 0}, "canary.share"),
        ({"share": 0.6}, "canary.share"),
        ({"minutes": 0}, "minutes"),
    ):
        assert words in publish(client, 400, **canary)["detail"]
    same = client.post("/v1/models/publish", json={"version": 1, "canary": {}})
    assert same.status_code == 409 and "version 1 itself" in same.json()["detail"]
    missing = client.post("/v1/models/publish", json={"version": 9, "canary": {}})
    assert missing.status_code == 404
