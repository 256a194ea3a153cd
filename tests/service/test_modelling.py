"""Models come in while everything goes on: as an archive, by a training that is judged before it answers."""

import io
import json
import time
import zipfile

import pytest

from intertask.service import gate, making, modelling
from intertask.service.refusals import ConflictError
from tests import shop
from tests.service.test_imports import look, work

RECIPE = """
name = "again"
width = 8
max_length = 8
encoder = {kind = "gru"}
tasks = {next = {kind = "next_item"}}
train = {epochs = 2, workers = 0}
evaluation = {resamples = 100, baselines = {popularity = {kind = "popularity"}}}
"""


@pytest.fixture
def at_hand(place, monkeypatch):
    """Models are made by this process, which has everything loaded."""

    async def made(job, verb, argument):
        found = making._train(place, argument) if verb == "train" else making._added(place, argument)
        return json.loads(json.dumps(found))

    monkeypatch.setattr(modelling, "_made", made)


def archive(folder, **more):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        for file in sorted(folder.rglob("*")) if folder else ():
            if file.is_file():
                target.write(file, f"model/{file.relative_to(folder)}")
        for name, text in more.items():
            target.writestr(name, text)
    return content.getvalue()


def send(client, content, **query):
    found = client.post("/v1/models", params={"name": "m.zip"} | query, content=content)
    assert found.status_code == 200, found.text
    return found.json()["job"]


@pytest.fixture
def sqlite(address):
    if address != "sqlite":
        pytest.skip("what differs between databases is tested elsewhere")


def test_an_archive_becomes_a_version_and_answers(sqlite, client, place, at_hand, tmp_path, monkeypatch):
    async def at_once(*_arguments, **_options):
        published.append(_arguments[2])

    published: list[int] = []
    monkeypatch.setattr(modelling.publishing, "publish", at_once)
    shop.recommender().save(tmp_path / "mine")
    for publish in ("no", "yes"):
        job = send(client, archive(tmp_path / "mine"), publish=publish)
        assert work(place)
        found = look(client, job)
        assert found["state"] == "done", found
        assert found["result"] == {"version": 1, "published": publish == "yes"}  # the same model as before
    assert published == [1] and not list(place.uploads.glob("*"))
    assert not list((place.folder / "jobs").glob("*"))


def test_what_is_no_archive_of_a_model_is_refused_and_nothing_is_left(
    sqlite, client, place, at_hand, tmp_path
):
    shop.recommender().save(tmp_path / "mine")
    altered = archive(tmp_path / "mine", **{"model/more.txt": "x"})
    link = zipfile.ZipInfo("model/link")
    link.external_attr = 0o120777 << 16
    linked = io.BytesIO()
    with zipfile.ZipFile(linked, "w") as target:
        target.writestr(link, "/etc/passwd")
    for content, words in (
        (b"no zip", "expected a zip archive"),
        (archive(None), "its manifest.json, found none"),
        (archive(None, **{"../x": "1"}), "a path that leads out of it"),
        (archive(None, **{"/x": "1"}), "a path that leads out of it"),
        (archive(None, **{f"f{n}": "" for n in range(1_001)}), "at most 1,000 files"),
        (linked.getvalue(), "found a link"),
        (altered, "more.txt"),
        (archive(None, **{"manifest.json": "{}"}), "manifest"),
    ):
        job = send(client, content)
        assert work(place)
        found = look(client, job)
        assert found["state"] == "failed" and words in found["result"]["error"], found
        assert not list((place.folder / "jobs").glob("*")) and not (place.folder / "x").exists()
    assert [one["version"] for one in client.get("/v1/models").json()["models"]] == [2, 1]
    refused = client.post("/v1/models", params={"name": "m.tar"}, content=b"")
    assert refused.status_code == 400 and refused.json()["where"] == "name"


def test_a_training_on_the_store_is_judged_and_becomes_a_version(sqlite, client, place, at_hand):
    body = {"recipe": RECIPE, "publish": "better"}
    job = client.post("/v1/train", json=body).json()["job"]
    assert work(place)
    found = look(client, job)
    assert found["state"] == "done", found
    result = found["result"]
    assert result["version"] == 3 and not result["published"] and not result["gate_passed"]
    assert "too few to judge by" in result["gate_reason"] or "does not beat" in result["gate_reason"]
    assert not list((place.folder / "jobs").glob("*"))  # files that held people are gone
    newest = client.get("/v1/models").json()["models"][0]
    assert newest["facts"]["name"] == "again" and newest["facts"]["items"] == shop.NUM_ITEMS


def test_a_recipe_that_cannot_be_trained_here_is_told(sqlite, client, place, at_hand):
    for recipe, words in (
        ("width = ", "recipe: expected a TOML file"),
        (RECIPE.replace("width = 8", "width = -8"), "recipe width: expected"),
        (RECIPE.replace('"next_item"}', '"next_item"}, x = {kind = "response", label = "liked"}'), "'liked'"),
        ("[data.rows]\npath = 'x'\n[tasks.x]\nkind = 'category'\n", "recipe"),
    ):
        for route in ("/v1/train", "/v1/tune"):
            refused = client.post(route, json={"recipe": recipe})
            assert refused.status_code == 400 and words in refused.json()["detail"], refused.text
    for recipe, words in (
        (None, "the label 'liked'; the store keeps one number of an event, its value"),
        (RECIPE.replace('"next_item"', '"next_item", behaviour = "?"'), "behaviour"),
    ):
        job = client.post("/v1/train", json={"recipe": recipe}).json()["job"]
        assert work(place)
        found = look(client, job)
        assert found["state"] == "failed" and words in found["result"]["error"], found
        assert not list((place.folder / "jobs").glob("*"))


def test_events_that_were_written_down_are_gone_whatever_is_refused(
    sqlite, client, place, at_hand, monkeypatch
):
    async def refused(*_arguments, **_options):
        raise ConflictError("version", "one that is well", "a damaged one")

    monkeypatch.setattr(modelling.publishing, "publish", refused)
    for least, words in ((10**6, "at least 1000000 events"), (100, "one that is well")):
        monkeypatch.setattr(modelling, "LEAST_EVENTS", least)
        job = client.post("/v1/train", json={"recipe": RECIPE, "publish": "always"}).json()["job"]
        assert work(place)
        found = look(client, job)
        assert found["state"] == "failed" and words in found["result"]["error"], found
        assert not list((place.folder / "jobs").glob("*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((19, 0.5, 0.1, 0.1, 0.3), "19 users with new events are too few"),
        ((100, 0.1, 0.1, None, None), "does not beat that of popularity"),
        ((100, 0.5, 0.1, 0.5, -0.1), "a loss against the active model is not excluded"),
        ((100, 0.5, 0.1, 0.5, -0.001), ""),
        ((100, 0.5, 0.1, None, None), ""),
    ],
)
def test_a_candidate_must_beat_popularity_and_lose_nothing(arguments, words):
    assert gate._reason(*arguments).startswith(words) or words in gate._reason(*arguments)
    assert bool(gate._reason(*arguments)) == bool(words)


def test_a_person_is_erased_from_exports_too_and_there_is_a_receipt(sqlite, client, place, monkeypatch):
    from tests.service.test_erasing import NAME, events, holding

    monkeypatch.setattr("intertask.service.erasing.AGAIN_SECONDS", 0.2)
    events(client, NAME, 0, 10)
    events(client, "other", 100, 10)
    client.post("/v1/recommend", json={"user": NAME})
    export = client.post("/v1/export").json()["job"]
    assert work(place) and NAME.encode() in client.get("/v1/export", params={"job": export}).content
    job = client.post("/v1/erase", json={"user": NAME}).json()["job"]
    assert work(place)
    found = look(client, job)
    assert found["state"] == "done", found
    assert found["result"]["found"] and found["result"]["exports_rewritten"] == 1
    assert found["result"]["files_that_still_hold_the_id"] == ""
    lines = client.get("/v1/export", params={"job": export}).text.splitlines()
    assert len([one for one in lines if json.loads(one)["user"] == "other"]) == 10
    end = time.monotonic() + 10
    while held := holding(place.folder, NAME):
        assert time.monotonic() < end, held
        time.sleep(0.05)
    assert client.get("/v1/users", params={"user": NAME}).status_code == 404


def test_erasing_touches_and_waits_for_nothing_of_another_tenant(sqlite, client, place, key, monkeypatch):
    from tests.service.test_erasing import NAME, events

    monkeypatch.setattr("intertask.service.erasing.AGAIN_SECONDS", 0.2)
    other = {"Authorization": f"Bearer {key('admin', 2)}"}
    body = [{"id": "o1", "user": NAME, "item": "x", "behaviour": "view"}]
    assert client.post("/v1/events", json={"events": body}, headers=other).json()["stored"] == 1
    export = client.post("/v1/export", headers=other).json()["job"]
    assert work(place)
    kept = client.get("/v1/export", params={"job": export}, headers=other).content
    assert NAME.encode() in kept
    events(client, NAME, 0, 10)
    job = client.post("/v1/erase", json={"user": NAME}).json()["job"]
    later = client.post(
        "/v1/import", params={"name": "x.csv"}, content=f"user,item\n{NAME},x\n".encode(), headers=other
    ).json()["job"]
    assert work(place)
    found = look(client, job)
    assert found["state"] == "done" and found["result"]["found"], found
    assert found["result"]["exports_rewritten"] == 0
    assert found["result"]["files_that_still_hold_the_id"] == ""
    assert client.get("/v1/export", params={"job": export}, headers=other).content == kept
    assert client.get("/v1/jobs", params={"job": later}, headers=other).json()["state"] == "waiting"


def test_a_file_whose_import_failed_hinders_no_erasing(sqlite, client, place, monkeypatch):
    from tests.service.test_erasing import NAME, events

    monkeypatch.setattr("intertask.service.erasing.AGAIN_SECONDS", 0.2)
    events(client, NAME, 0, 3)
    query = {"name": "x.csv", "item": "none"}
    job = client.post("/v1/import", params=query, content=f"user\n{NAME}\n".encode()).json()["job"]
    assert work(place) and look(client, job)["state"] == "failed"
    job = client.post("/v1/erase", json={"user": NAME}).json()["job"]
    assert work(place)
    found = look(client, job)
    assert found["state"] == "done" and found["result"]["files_that_still_hold_the_id"] == "", found
