"""Who is deleted is gone: from every answer at once, and from every file soon after."""

import time

import pytest

NAME = "somebody-with-a-name-like-no-other"


def holding(folder, name: str) -> list[str]:
    """The files below a folder that hold a name."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file.name for file in files if name.encode() in file.read_bytes()]


def events(client, user: str, first: int, number: int) -> None:
    body = [
        {
            "id": f"{first + n}",
            "user": user,
            "item": f"№{n % 15}",
            "behaviour": "view",
            "session": f"of {user}",
        }
        for n in range(number)
    ]
    assert client.post("/v1/events", json={"events": body}).json()["stored"] == number


@pytest.mark.parametrize("way", ["deleted", "merged"])
def test_a_deleted_name_is_soon_in_no_file(client, place, address, way):
    if address != "sqlite":
        pytest.skip("the files of PostgreSQL are its own")
    for part in range(5):  # on several pages, between those of others
        events(client, NAME, 1_000 * part, 40)
        events(client, f"other{part}", 1_000 * part + 500, 40)
    client.put("/v1/users", json={"users": [{"user": NAME, "properties": {"known as": NAME}}]})
    assert holding(place.folder, NAME)
    if way == "deleted":
        assert client.delete("/v1/users", params={"user": NAME}).json()["changed"]
        assert client.get("/v1/users", params={"user": NAME}).status_code == 404
    else:  # sessions may name whom they want: they are the client's own words
        client.post("/v1/users/merge", json={"user": NAME, "into": "known"})
        client.delete("/v1/users", params={"user": "known"})
    end = time.monotonic() + 10
    while found := holding(place.folder, NAME):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    assert len(client.get("/v1/users", params={"user": "other3"}).json()["events"]) == 40


def test_what_somebody_still_reads_is_gone_when_they_are_done(client, place, database, address):
    if address != "sqlite":
        pytest.skip("the files of PostgreSQL are its own")
    events(client, NAME, 0, 40)
    reading = database.reading()
    with reading.snapshot():
        reading.rows("SELECT count(*) FROM events")
        client.delete("/v1/users", params={"user": NAME})
        time.sleep(0.6)
        assert holding(place.folder, NAME)
        events(client, "other", 100, 3)  # whoever writes does not wait
    reading.close()
    end = time.monotonic() + 10
    while holding(place.folder, NAME):
        assert time.monotonic() < end
        time.sleep(0.05)
