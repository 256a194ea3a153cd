import pytest

from intertask.service.jobs import AddJob, MoveJob, StopJob, TakeJob, job, jobs
from intertask.service.refusals import ConflictError, MissingError


def run(store, command):
    with store.transaction():
        return command.run(store)


def take(store, worker: str = "w"):
    return run(store, TakeJob(worker=worker, kinds=("import", "train"))).job


def test_a_job_is_done_by_one_process_and_in_the_order_of_asking(store):
    first, second = (run(store, AddJob(tenant=1, what="import", arguments={"n": n})) for n in (1, 2))
    run(store, AddJob(tenant=1, what="something else"))
    taken = take(store)
    assert taken is not None and (taken.job, taken.arguments, taken.state) == (first.job, {"n": 1}, "running")
    assert take(store, "v").job == second.job
    assert take(store) is None


def test_progress_and_result_are_kept_and_only_the_process_that_has_it_may_say_them(store):
    name = run(store, AddJob(tenant=1, what="train")).job
    take(store)
    run(store, MoveJob(job=name, worker="w", progress={"epoch": 3}))
    found = job(store, 1, name)
    assert found is not None and (found.state, found.progress) == ("running", {"epoch": 3})
    with pytest.raises(ConflictError, match="one that v works on"):
        run(store, MoveJob(job=name, worker="v", state="done"))
    run(store, MoveJob(job=name, worker="w", state="failed", result={"error": "x"}))
    found = job(store, 1, name)
    assert found is not None and (found.state, found.result) == ("failed", {"error": "x"})
    assert job(store, 2, name) is None and [one.job for one in jobs(store, 1, 9)] == [name]


def test_a_job_whose_process_has_died_is_taken_by_another(store):
    name = run(store, AddJob(tenant=1, what="train")).job
    take(store)
    with store.transaction():
        store.run("UPDATE jobs SET until = 0")
    assert take(store, "v").job == name
    with pytest.raises(ConflictError):
        run(store, MoveJob(job=name, worker="w"))


def test_a_job_that_is_stopped_is_not_gone_on_with(store):
    name = run(store, AddJob(tenant=1, what="train")).job
    take(store)
    with pytest.raises(MissingError):
        run(store, StopJob(tenant=2, job=name))
    assert run(store, StopJob(tenant=1, job=name)).changed
    with pytest.raises(ConflictError):
        run(store, MoveJob(job=name, worker="w"))
    assert not run(store, StopJob(tenant=1, job=name)).changed
    assert take(store, "v") is None


def test_all_jobs_are_listed_page_by_page_and_to_their_tenant_alone(client, key, store):
    names = [client.post("/v1/export").json()["job"] for _ in range(5)]
    run(store, AddJob(tenant=2, what="export"))
    with store.transaction():  # asked for at one moment
        store.run("UPDATE jobs SET created = 7 WHERE job IN (?, ?, ?)", names[:3])
    found, cursor = [], None
    while True:
        query = {"k": 2} | ({} if cursor is None else {"cursor": cursor})
        page = client.get("/v1/jobs/all", params=query)
        assert page.json() == client.get("/v1/jobs/all", params=query).json()
        found += page.json()["jobs"]
        if (cursor := page.json().get("cursor")) is None:
            break
        last = cursor
    assert [one["job"] for one in found[:2]] == names[:2:-1]
    assert sorted(one["job"] for one in found[2:]) == sorted(names[:3])
    assert found[0]["kind"] == "export" and found[-1]["created"] == "1970-01-01T00:00:00.000007Z"
    other = {"Authorization": f"Bearer {key('admin', 2)}"}
    assert len(client.get("/v1/jobs/all", headers=other).json()["jobs"]) == 1
    for cursor, headers in ((last, other), ("x", {}), (last[:-2], {})):
        refused = client.get("/v1/jobs/all", params={"cursor": cursor}, headers=headers)
        assert refused.status_code == 400 and refused.json()["where"] == "cursor"
