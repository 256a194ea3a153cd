"""Backups are whole while everything goes on, and what is no backup is not restored."""

import json
import threading

import pytest

from intertask.errors import IntertaskError, RequestError
from intertask.service.backup import back_up, restore
from intertask.service.events import num_events
from intertask.service.opening import opened
from tests.service.asking import asking


def test_a_backup_under_load_has_every_event_that_was_acknowledged_before(
    client, place, key, tmp_path, address
):
    if address != "sqlite":
        pytest.skip("PostgreSQL has its own")
    stop = threading.Event()

    def send():
        number = 0
        while not stop.is_set():
            event = {"id": f"e{number}", "user": "p", "item": "№1", "behaviour": "view"}
            assert client.post("/v1/events", json={"events": [event]}).status_code == 200
            number += 1

    thread = threading.Thread(target=send)
    thread.start()
    before = client.post(
        "/v1/events", json={"events": [{"id": "x", "user": "q", "item": "№1", "behaviour": "buy"}]}
    )
    try:
        assert back_up(place.folder, tmp_path / "copy") > 5
    finally:
        stop.set()
        thread.join()
    with pytest.raises(RequestError, match="expected a new folder, found something there"):
        back_up(place.folder, tmp_path / "copy")
    assert restore(tmp_path / "copy", tmp_path / "again") > 5
    connection = opened("sqlite", tmp_path / "again").reading()
    assert connection.rows("PRAGMA integrity_check") == [("ok",)]
    assert num_events(connection, 1) >= before.json()["seq"]
    connection.close()
    with asking(
        place.model_copy(update={"folder": tmp_path / "again"}), client.headers["authorization"][7:]
    ) as other:
        assert len(other.get("/v1/users", params={"user": "q"}).json()["events"]) == 1
        assert other.post("/v1/recommend", json={"user": "ü1"}).json()["degraded"] is None


def test_what_is_no_backup_is_refused_and_nothing_is_written(client, place, tmp_path, address):
    if address != "sqlite":
        with pytest.raises(RequestError, match="pg_dump"):
            back_up(place.folder / "none", tmp_path / "copy")
        return
    back_up(place.folder, tmp_path / "copy")
    with pytest.raises(RequestError, match="a new or empty folder"):
        restore(tmp_path / "copy", place.folder)
    file = tmp_path / "copy" / "backup.json"
    table = json.loads(file.read_text())
    for changes, words in (
        ({"files": {}}, "a folder that a backup wrote"),
        ({"files": table["files"] | {"../x": "0"}}, r"the file \.\./x"),
        ({"files": table["files"] | {"store.sqlite": "0"}}, "the file as it was written"),
    ):
        file.write_text(json.dumps(table | changes))
        with pytest.raises(IntertaskError, match=words):
            restore(tmp_path / "copy", tmp_path / "new")
        assert not (tmp_path / "new").exists()
    with pytest.raises(RequestError, match="a folder that a backup wrote"):
        restore(tmp_path, tmp_path / "new")
