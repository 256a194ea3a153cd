"""A tuning is a job: it is asked for, looked at, stopped, and goes on after a kill."""

import json

import pytest

from intertask.runs.tuning import _Tuning as Tuning
from intertask.service import making, modelling, runner, tidying
from tests.service.test_imports import dead, look, work
from tests.service.test_modelling import RECIPE

TUNED = RECIPE + "[tune.space]\nwidth = [4, 12]\n"


@pytest.fixture
def sqlite(address):
    if address != "sqlite":
        pytest.skip("what differs between databases is tested elsewhere")


@pytest.fixture
def tuning(place, monkeypatch):
    """Tunings are done by this process; the number of those that are to die is a list of one."""
    deaths = [0]

    async def made(job, _verb, folder):
        lines = []
        monkeypatch.setattr(making, "_say", lines.append)
        scored = Tuning._score

        def dying(self, number, *arguments):
            if number == 2 and deaths[0]:
                deaths[0] -= 1
                raise ConnectionAbortedError
            return scored(self, number, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(Tuning, "_score", dying)
            found = making._tune(place, folder)
        assert {"trials", "last"} == lines[0].keys()
        return json.loads(json.dumps(found))

    monkeypatch.setattr(modelling, "_made", made)
    return deaths


def tune(client, **body):
    found = client.post("/v1/tune", json={"minutes": 5.0, "trials": 2} | body)
    assert found.status_code == 200, found.text
    return found.json()["job"]


def test_a_tuning_is_a_job_whose_result_is_a_recipe_and_a_page(sqlite, client, place, tuning):
    job = tune(client, recipe=TUNED)
    too_early = client.get("/v1/tune/report", params={"job": job})
    assert too_early.status_code == 409 and "a tuning that is done" in too_early.json()["detail"]
    assert work(place)
    found = look(client, job)
    assert found["state"] == "done", found
    first = found["result"]
    assert first["trials"] == 3 and first["best"] >= first["default"] and "[data" not in first["recipe"]
    assert not list((place.folder / "jobs").glob("*"))  # files that held people are gone
    page = client.get("/v1/tune/report", params={"job": job})
    assert page.headers["content-type"].startswith("text/html") and "sandbox" in str(page.headers)
    assert "trial" in page.text.lower()
    # What was found can be trained, and a tuning that died finds the same.
    job = client.post("/v1/train", json={"recipe": first["recipe"]})
    assert job.status_code == 200
    client.post("/v1/jobs/stop", json={"job": job.json()["job"]})


def test_a_tuning_that_died_finds_the_same_best(sqlite, client, place, tuning, store, monkeypatch):
    once = tune(client, recipe=TUNED)
    assert work(place)
    again = tune(client, recipe=RECIPE, space={"width": [4, 12]})
    tuning[0] = 1
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(runner, "_outcome", dead)
        work(place)
    with store.transaction():
        store.run("UPDATE jobs SET until = 0")
    assert work(place, "another")
    found, expected = (look(client, job)["result"] for job in (again, once))
    for name in ("best", "default", "winner", "changes", "trials"):
        assert found[name] == expected[name], name


def test_a_tuning_that_cannot_be_says_why(sqlite, client, place, tuning):
    for body, words in (
        ({"recipe": RECIPE}, "keys of the recipe with their values"),
        ({"recipe": RECIPE, "space": {"wide": [1, 2]}}, "wide"),
        ({"recipe": RECIPE, "space": {"width": {"low": 8, "high": 4}}}, "low below high"),
    ):
        job = tune(client, **body)
        assert work(place)
        found = look(client, job)
        assert found["state"] == "failed" and words in found["result"]["error"], found
        assert not list((place.folder / "jobs").glob("*"))
    for body in ({"minutes": 0}, {"minutes": 1e9}, {"space": {}}, {"space": {"a": [1]}}, {"trials": 0}):
        assert client.post("/v1/tune", json=body).status_code == 400, body


def test_the_folder_of_a_job_that_was_stopped_is_deleted(sqlite, client, place):
    running, stopped = (client.post("/v1/export").json()["job"] for _ in range(2))
    assert client.post("/v1/jobs/stop", json={"job": stopped}).status_code == 200
    for name in (running, stopped, "job_of_nobody"):
        (place.folder / "jobs" / name).mkdir(parents=True)
    client.portal.call(tidying.clear, place, client.app.state.running.access)
    assert [one.name for one in (place.folder / "jobs").iterdir()] == [running]
