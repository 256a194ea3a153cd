"""The whole service with its processes, as `intertask serve` starts it; what dies is killed by the tests."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from intertask.errors import IntertaskError
from intertask.runs import run as runs
from intertask.service.events import num_events
from intertask.service.opening import opened
from intertask.service.schema import migrate
from intertask.service.settings import Settings
from intertask.service.supervisor import serve
from tests import shop

ENDS = 20  # seconds


@dataclass
class Service:
    """A running service."""

    process: subprocess.Popen[str]
    address: str
    key: str
    said: list[str] = field(default_factory=list)

    def client(self) -> httpx2.Client:
        """One that connects anew for each request, so that both processes are met."""
        return httpx2.Client(
            base_url=self.address,
            headers={"authorization": f"Bearer {self.key}", "connection": "close"},
            timeout=20,
            trust_env=False,
        )

    def children(self, kind: str) -> list[int]:
        """The processes of a kind: "store" or "worker"."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (place / "cmdline").read_bytes().split(b"\0")
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.process.pid and f"intertask.service.{kind}".encode() in words:
                    found.append(int(place.name))
        return found


def start(*arguments: str) -> Service:
    process = subprocess.Popen(
        [sys.executable, "-m", "intertask", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"NO_COLOR": "1"},
    )
    assert process.stdout is not None
    service = Service(process, "", "")
    for line in process.stdout:
        service.said.append(line.rstrip())
        name, _, value = line.strip().partition(": ")
        if name == "address":
            service.address = value
        if name == "key":
            service.key = value
            break
    assert service.address, service.said
    threading.Thread(target=_listen, args=(service,), daemon=True).start()
    return service


def _listen(service: Service) -> None:
    """Keep what it says, to its end: a pipe that nobody reads would stop it."""
    assert service.process.stdout is not None
    for line in service.process.stdout:
        service.said.append(line.rstrip())
    service.process.stdout.close()


def stop(service: Service, number: int = signal.SIGTERM) -> int:
    service.process.send_signal(number)
    return service.process.wait(ENDS)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    runs.train(shop.write_files(folder), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def service(run):
    found = start(str(run), "--port", "0")
    yield found
    if found.process.poll() is None:
        stop(found)


def send(client: httpx2.Client, number: int, user: str = "p") -> httpx2.Response:
    item = shop.item_id(number % shop.NUM_ITEMS)
    event = {"id": f"e{number}", "user": f"{user}{number}", "item": item, "behaviour": "view"}
    return client.post("/v1/events", json={"events": [event]})


def stored(run: Path) -> set[str]:
    connection = opened("sqlite", run / "service").reading()
    found = {str(name) for (name,) in connection.rows("SELECT id FROM events")}
    assert len(found) == num_events(connection, 1)
    assert connection.rows("PRAGMA integrity_check") == [("ok",)]
    connection.close()
    return found


def test_it_answers_as_the_library_does_with_the_people_of_the_run(service, run):
    from intertask import Recommender

    model = Recommender.load(run)
    with service.client() as client:
        for user in [shop.user_id(number) for number in range(8)]:
            found = client.post("/v1/recommend", json={"user": user, "k": 5}).json()
            expected = model.recommend(users=[user], k=5)
            assert [one["item"] for one in found["items"]] == expected["item"].to_list()
    assert not list((run / "service" / "models").glob("*/users.parquet.bak"))
    for folder in (run / "service" / "models").glob("?" * 64):
        assert len(Recommender.load(folder).users) == 0  # people live in the store


def test_each_acknowledged_event_is_in_the_next_answer_whichever_process_gives_it(service):
    assert len(service.children("worker")) == 2
    with service.client() as client:
        for number in range(60):
            assert send(client, number).json()["stored"] == 1
            found = client.post("/v1/recommend", json={"user": f"p{number}", "k": 15, "seen": True}).json()
            missing = {shop.item_id(n) for n in range(15)} - {one["item"] for one in found["items"]}
            assert missing == {shop.item_id(number % shop.NUM_ITEMS)}


def test_a_job_is_done_beside_the_requests(service):
    with service.client() as client:
        content = "user,item,behaviour\n" + "".join(f"i{n},№{n % 15},view\n" for n in range(50))
        job = client.post("/v1/import", params={"name": "x.csv"}, content=content.encode()).json()["job"]
        end = time.monotonic() + ENDS
        while (found := client.get("/v1/jobs", params={"job": job}).json())["state"] in (
            "waiting",
            "running",
        ):
            assert time.monotonic() < end
            time.sleep(0.05)
        assert found["state"] == "done" and found["result"]["stored"] == 50
        assert len(client.get("/v1/users", params={"user": "i7"}).json()["events"]) == 1


def test_the_program_that_measures_finds_every_event_fresh(service):
    program = Path(__file__).parents[2] / "benchmarks" / "service" / "figures.py"
    size = ["--events", "20", "--requests", "20", "--items", "№1,№2", "--behaviour", "view"]
    done = subprocess.run(
        [sys.executable, program, service.address, service.key, *size],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert found["freshness"]["fresh"] == found["freshness"]["events"] == 20
    assert found["ingest"]["single"]["refused"] == found["load"]["refused"] == 0


def test_the_writer_is_killed_while_events_come_and_none_is_lost_or_doubled(service, run):
    acknowledged: list[str] = []
    refused = 0
    end = threading.Event()

    def ingest(start: int) -> None:
        nonlocal refused
        with service.client() as client:
            number = start
            while not end.is_set():
                found = send(client, number, "k")
                if found.status_code == 200:
                    acknowledged.append(f"e{number}")
                    number += 1  # what was refused is sent again under the same id
                else:
                    assert found.status_code == 503 and found.headers["retry-after"] == "1"
                    refused += 1

    threads = [threading.Thread(target=ingest, args=(10**6 * (place + 1),)) for place in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(0.3)
        (writer,) = service.children("store")
        os.kill(writer, signal.SIGKILL)
        began, before = time.monotonic(), len(acknowledged)
        while len(acknowledged) < before + 5:
            assert time.monotonic() - began < 15
            time.sleep(0.01)
    end.set()
    for thread in threads:
        thread.join()
    assert len(acknowledged) > 30
    assert set(acknowledged) <= stored(run)


def test_a_killed_process_is_started_again_and_the_other_answers_meanwhile(service):
    victim = service.children("worker")[0]
    os.kill(victim, signal.SIGKILL)
    lost = 0
    with service.client() as client:
        for _ in range(30):
            try:
                assert client.post("/v1/recommend", json={"user": "ü1"}).status_code == 200
            except httpx2.TransportError:  # of a connection that the dead one had taken
                lost += 1
    assert lost <= 2
    end = time.monotonic() + ENDS
    while len(service.children("worker")) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert any("worker" in line and "started again" in line for line in service.said)


def test_the_numbers_are_those_of_all_processes(service):
    def given() -> float:
        with service.client() as client:
            lines = client.get("/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith("intertask_lists_total{")).split()[-1])

    before = given()
    with service.client() as client:
        for _ in range(10):
            client.post("/v1/recommend", json={"user": "ü1"})
    assert given() == before + 10


def test_two_services_never_work_in_one_folder(service, run):
    found = subprocess.run(
        [sys.executable, "-m", "intertask", "serve", str(run), "--port", "0"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 2
    assert "expected a folder that no other service works in, found one that does" in found.stderr
    assert "Traceback" not in found.stderr


def test_killed_as_a_whole_it_leaves_no_process_and_the_next_start_has_everything(service, run):
    before = stored(run)
    children = service.children("worker") + service.children("store")
    assert stop(service, signal.SIGKILL) == -signal.SIGKILL
    end = time.monotonic() + ENDS
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < end
        time.sleep(0.05)
    again = start("--data", str(run / "service"), "--port", "0", "--workers", "1", "--new-key")
    with again.client() as client:
        assert client.get("/healthz").json()["status"] == "ok"
        found = client.post("/v1/recommend", json={"user": "p3", "k": 15, "seen": True}).json()
        assert shop.item_id(3) not in {one["item"] for one in found["items"]}
        assert len(client.get("/v1/keys").json()["keys"]) == 2
    assert stop(again) == 0
    assert stored(run) == before
    secret = again.key.rpartition("_")[2]
    assert not any(secret in line for line in again.said[3:])  # behind address, page and key


def test_the_parent_loads_no_torch_and_a_mistake_is_one_line(tmp_path):
    code = "import sys; import intertask.service.starting; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    settings = tmp_path / "service.toml"
    for text, words in (
        (
            "colour = 1",
            "service.toml colour: expected one of answers_days, behaviours, database, exports_days, host",
        ),
        ("port = 99999", "service.toml port: expected less than or equal to 65535, found 99999"),
        ('port = "80"', "service.toml port: expected"),
        ('database = "mysql://me:secret@x"', "database: expected 'sqlite' or postgresql://..."),
        ("port = ", "service.toml: expected a TOML file"),
        ('behaviours = ["a", "a"]', "behaviours: expected names of behaviours, each once, found ['a', 'a']"),
    ):
        settings.write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "intertask", "serve", "--data", str(tmp_path / "x"), "--config", settings],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2 and words in done.stderr, done.stderr
        assert "secret" not in done.stderr and not (tmp_path / "x").exists()


def test_tables_of_a_newer_program_are_refused_in_a_line_without_a_trace(tmp_path):
    words = [sys.executable, "-m", "intertask", "serve", "--port", "0", "--data"]
    (tmp_path / "service.lock").write_text("")
    store = opened("sqlite", tmp_path).writing()
    migrate(store)
    with store.transaction():
        store.run("UPDATE schema SET version = 99")
    store.close()
    done = subprocess.run([*words, str(tmp_path)], check=False, capture_output=True, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "expected tables of version" in done.stderr and "upgrade intertask" in done.stderr


def test_a_folder_of_something_else_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / "mine" / "metrics").mkdir(parents=True)
    (tmp_path / "lock").mkdir()
    (tmp_path / "lock" / "service.lock").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "demo" / "run" / "service").mkdir(parents=True)
    (tmp_path / "demo" / "run" / "service" / "service.lock").write_text("")
    before = {place: place.read_bytes() if place.is_file() else None for place in tmp_path.rglob("*")}
    for name, words in (
        ("demo", f"name --data {tmp_path}/demo/run/service; nothing was changed"),
        ("mine", "expected a new folder, or that of a service, found a folder of something else"),
        ("lock", "expected the lock of a service, found a file of something else"),
        ("file", "expected a new folder, or that of a service, found a file"),
    ):
        with pytest.raises(IntertaskError, match=words):
            serve(tmp_path / name, Settings(port=0), None, print)
    assert before == {place: place.read_bytes() if place.is_file() else None for place in tmp_path.rglob("*")}


def test_postgresql_is_one_line_of_settings(server, tmp_path):
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA whole")
    settings = tmp_path / "service.toml"
    settings.write_text(f'database = "{server}&options=-csearch_path%3Dwhole"\nworkers = 1\nport = 0\n')
    service = start("--data", str(tmp_path / "data"), "--config", str(settings))
    assert service.children("store") == []
    with service.client() as client:
        assert [send(client, number).json()["seq"] for number in range(1, 4)] == [1, 2, 3]
        (worker,) = service.children("worker")
        os.kill(worker, signal.SIGKILL)
        end = time.monotonic() + ENDS
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if client.get("/livez").status_code == 200:
                    break
            assert time.monotonic() < end
        assert send(client, 3).json() | {"seq": 3} == send(client, 3).json()
        assert len(client.get("/v1/users", params={"user": "p2"}).json()["events"]) == 1
        assert client.post("/v1/recommend", json={"user": "p2"}).status_code == 404
    assert stop(service) == 0
    assert not (tmp_path / "data" / "store.sqlite").exists()
