"""A database that cannot be written: events are refused and may come again, lists go on."""

import apsw
import pytest

from intertask.service import sqlite
from intertask.service.events import num_events
from tests.service.asking import asking

EVENT = {"id": "e1", "user": "ann", "item": "№1", "behaviour": "view"}


@pytest.fixture
def file(address, place, monkeypatch):
    if address != "sqlite":
        pytest.skip("files are SQLite's")
    monkeypatch.setattr(sqlite, "BUSY_MILLISECONDS", 50)
    return place.folder / "store.sqlite"


def refused(client):
    found = client.post("/v1/events", json={"events": [EVENT]})
    assert found.status_code == 503 and found.headers["retry-after"] == "1"
    problem = found.json()
    assert problem["where"] == "database" and problem["hint"] == "try again later"
    listed = client.post("/v1/recommend", json={"user": "ü1", "k": 3})
    assert listed.status_code == 200 and len(listed.json()["items"]) == 3
    return problem["found"]


def test_a_database_that_another_program_locks(file, place, store, key):
    before, made = num_events(store, 1), key()
    with asking(place, made) as client:
        other = apsw.Connection(str(file))
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in refused(client)
        other.execute("ROLLBACK")
        assert client.post("/v1/events", json={"events": [EVENT]}).json()["stored"] == 1
    assert num_events(store, 1) == before + 1


def test_a_database_that_may_only_be_read(file, place, store, key, monkeypatch):
    writing, before, made, connections = sqlite.SQLite.writing, num_events(store, 1), key(), []

    def opened(self):
        connections.append(writing(self))
        return connections[-1]

    monkeypatch.setattr(sqlite.SQLite, "writing", opened)
    with asking(place, made) as client:
        (own,) = connections
        own.rows("PRAGMA query_only = ON")  # SQLite refuses with the words that it has for such a disk
        assert "readonly" in refused(client)
        own.rows("PRAGMA query_only = OFF")
        assert client.post("/v1/events", json={"events": [EVENT]}).json()["stored"] == 1
    assert num_events(store, 1) == before + 1
