"""Files of events come in and go out as jobs: every row is accounted for, a kill doubles nothing."""

import asyncio
import json
import os
import time

import polars as pl
import pytest

from intertask.service import importing, runner, tidying
from intertask.service.access import Access
from intertask.service.events import history, num_events
from intertask.service.opening import opened

CSV = """\
who;what;did;when;price
ann;№1;buy;2026-01-02T10:00:00Z;1.5
ann;№2;view;2026-01-01T10:00:00Z;
bob;;view;2026-01-01T10:00:00Z;
bob;№3;view;no time at all;
bob;№3;view;2026-01-03T10:00:00Z;2
"""
COLUMNS = {
    "name": "log.csv",
    "user": "who",
    "item": "what",
    "behaviour": "did",
    "time": "when",
    "value": "price",
}


def dead(_work, doing):
    """The outcome of a killed process: none. An error that nobody asks for is logged amid a later test."""
    doing.exception()
    raise ZeroDivisionError


def work(place, name="runner"):
    """Do the next job, as the process that does jobs would."""

    async def once() -> bool:
        line = None if place.line is None else place.folder / "one.socket"
        access = Access(opened(place.settings.database, place.folder), line)
        access.start()
        try:
            return await runner.one(place, access, name)
        finally:
            await access.close()

    return asyncio.run(once())


def send(client, content, **columns):
    found = client.post("/v1/import", params=columns, content=content)
    assert found.status_code == 200, found.text
    return found.json()["job"]


def look(client, job):
    return client.get("/v1/jobs", params={"job": job}).json()


def test_each_row_is_stored_or_refused_with_its_reason(client, place, store):
    before = num_events(store, 1)
    job = send(client, CSV.encode(), **COLUMNS)
    assert look(client, job)["state"] == "waiting"
    assert work(place) and not work(place)
    found = look(client, job)
    assert found["state"] == "done", found["result"]
    result = found["result"]
    reasons = {name: count for name, count in result.items() if name.startswith("refused: ")}
    assert (result["rows"], result["stored"], result["refused"]) == (5, 3, 2)
    assert sum(reasons.values()) == 2 and len(reasons) == 2
    assert num_events(store, 1) == before + 3
    ann = history(store, 1, "ann", 9)
    assert [(one.item, one.value) for one in ann] == [("№2", None), ("№1", 1.5)]
    assert list((place.folder / "uploads").iterdir()) == []


def test_a_preview_says_what_would_be_stored_and_stores_nothing(client, place, store):
    before = num_events(store, 1)
    job = send(client, CSV.encode(), preview="yes", **COLUMNS)
    assert work(place)
    found = look(client, job)
    assert found["state"] == "done", found["result"]
    result = found["result"]
    assert (result["rows"], result["stored"], result["fitting"], result["refused"]) == (5, 0, 3, 2)
    first = json.loads(result["first"])
    assert [(one["user"], one["item"], one["behaviour"]) for one in first][-1] == ("bob", "№3", "view")
    assert num_events(store, 1) == before and list((place.folder / "uploads").iterdir()) == []
    assert client.post("/v1/import", params=COLUMNS | {"preview": "maybe"}, content=b"").status_code == 400
    job = send(client, CSV.encode(), **COLUMNS)
    assert work(place) and look(client, job)["result"]["stored"] == 3


def test_the_same_file_twice_is_stored_once(client, place, store):
    for expected in ((3, 0), (0, 3)):
        job = send(client, CSV.encode(), **COLUMNS)
        work(place)
        result = look(client, job)["result"]
        assert (result["stored"], result["duplicates"]) == expected


def test_a_job_that_died_goes_on_where_it_was_and_counts_each_row_once(client, place, store, monkeypatch):
    rows = pl.DataFrame(
        {
            "user": [f"u{n % 7}" for n in range(100)],
            "item": "№1",
            "behaviour": "view",
            "time": range(10**9, 10**9 + 100),
        }
    )
    monkeypatch.setattr(importing, "PART", 10)
    job = send(client, rows.write_ndjson().encode(), name="rows.jsonl")
    events = importing.stored

    def killed(rows, start, digest):
        if start == 50:
            raise ConnectionAbortedError
        return events(rows, start, digest)

    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(importing, "stored", killed)
        patch.setattr(runner, "_outcome", dead)
        work(place)
    found = look(client, job)
    assert found["state"] == "running" and found["progress"]["done"] == 50
    with store.transaction():
        store.run("UPDATE jobs SET until = 0")
    assert work(place, "another")
    result = look(client, job)["result"]
    assert (result["rows"], result["stored"], result["duplicates"], result["done"]) == (100, 100, 0, 100)
    assert len({one.id for one in history(store, 1, "u1", 99)}) == 15


def test_a_file_that_cannot_be_stored_fails_in_one_line_and_stores_nothing(client, place, store):
    before = num_events(store, 1)
    for content, columns, words in (
        (b"", {"name": "x.csv"}, "x.csv"),
        (b"\x00\x01\x02", {"name": "x.csv"}, "x.csv"),
        (CSV.encode(), {"name": "log.csv"}, "log.csv: expected"),
        (
            CSV.replace("buy", "bought").encode(),
            COLUMNS,
            "log.csv behaviour: expected one of buy, cart, view",
        ),
    ):
        job = send(client, content, **columns)
        work(place)
        found = look(client, job)
        assert found["state"] == "failed" and words in found["result"]["error"], found
        assert "\n" not in found["result"]["error"] and str(place.folder) not in found["result"]["error"]
    assert num_events(store, 1) == before


def test_a_strange_name_is_refused_before_anything_is_written(client, place):
    for name in ("../x.csv", "", "a/b.csv", "x" * 101 + ".csv", ".csv", "x", "x.exe", "x.csv\n", "x.csv/.."):
        assert client.post("/v1/import", params={"name": name}, content=b"x").status_code == 400
    assert not (place.folder / "uploads").exists()


def test_what_goes_out_comes_in_again_as_it_was(client, place, store, key):
    client.post("/v1/events", json={"events": [{"id": "e1", "user": "u", "item": "№1", "behaviour": "buy"}]})
    job = client.post("/v1/export", content=b"").json()["job"]
    assert client.get("/v1/export", params={"job": job}).status_code == 409
    work(place)
    found = client.get("/v1/export", params={"job": job})
    assert found.headers["content-type"] == "application/jsonl"
    lines = [json.loads(line) for line in found.text.splitlines()]
    assert len(lines) == num_events(store, 1) == look(client, job)["result"]["rows"]
    assert lines[-1]["id"] == "e1" and lines[-1]["user"] == "u"
    again = send(client, found.content, name="again.jsonl", id="id")
    work(place)
    result = look(client, again)["result"]
    assert (result["stored"], result["duplicates"]) == (0, len(lines))


def tidied(place):
    async def once() -> None:
        access = Access(
            opened(place.settings.database, place.folder),
            None if place.line is None else place.folder / "one.socket",
        )
        access.start()
        await tidying.tidy(place, access)
        await access.close()

    asyncio.run(once())


def test_exports_are_kept_for_the_days_that_were_set(client, place):
    jobs = [client.post("/v1/export", content=b"").json()["job"] for _ in range(2)]
    while work(place):
        pass
    old, young = (place.exports / f"{job}.jsonl" for job in jobs)
    os.utime(old, (time.time() - 30.1 * 86_400,) * 2)
    os.utime(young, (time.time() - 29.9 * 86_400,) * 2)
    unlimited = place.settings.model_copy(update={"exports_days": 0})
    tidied(place.model_copy(update={"settings": unlimited}))
    assert old.exists() and young.exists()
    tidied(place)
    assert not old.exists() and client.get("/v1/export", params={"job": jobs[1]}).status_code == 200
    gone = client.get("/v1/export", params={"job": jobs[0]})
    words = "job: expected an export of the last 30 days, found one whose file was deleted; ask for a new one"
    assert gone.status_code == 404 and gone.json()["detail"].startswith(words)


def test_files_that_stopped_coming_long_ago_are_deleted_and_others_stay(client, place, store):
    uploads = place.folder / "uploads"
    job = send(client, b"x", name="waiting.csv")
    (waiting,) = [file.name for file in uploads.iterdir()]
    os.utime(uploads / waiting, (time.time() - 2 * 86_400,) * 2)
    for name, age in (("old.part", 2), ("new.part", 0), ("old.csv", 2), ("new.csv", 0)):
        (uploads / name).write_text("x")
        os.utime(uploads / name, (time.time() - age * 86_400,) * 2)
    with store.transaction():
        store.run("INSERT INTO requests VALUES (1, 'old', '', '', 0)")

    tidied(place)
    # What no job names holds people, and nobody will read it.
    assert {file.name for file in uploads.iterdir()} == {"new.part", "new.csv", waiting}
    assert work(place) and look(client, job)["state"] == "failed"
    assert {file.name for file in uploads.iterdir()} == {"new.part", "new.csv"}
    assert store.rows("SELECT count(*) FROM requests") == [(0,)]


def test_a_job_that_was_stopped_is_not_done(client, place, store):
    job = send(client, CSV.encode(), **COLUMNS)
    assert client.post("/v1/jobs/stop", json={"job": job}).json()["state"] == "stopped"
    assert not work(place)
    assert client.get("/v1/jobs", params={"job": "job_x"}).status_code == 404
