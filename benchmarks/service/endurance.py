"""Kills, imports, backups and erasures: nothing that was acknowledged is lost, nothing stands there twice."""

import hashlib
import json
import random
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

from asker import Table
from started import Service, started

READY_SECONDS = 5.0
CATALOGUE = 5_000
WORKERS, LOADED_MEGABYTES = 2, 200
SPACE = """
[tune.space]
width = [16, 32]
"train.learning_rate" = {low = 1e-3, high = 1e-2, log = true}
"""


def kills(service: Service, times: int, module: str) -> Table:
    """Kill a process again and again while events come in; every acknowledged one is there once.

    Args:
        service: With a model of `large.py`.
        times: Kills.
        module: "store" with SQLite; "worker" with PostgreSQL, where each worker writes.
    """
    acknowledged: list[str] = []
    over, mark = threading.Event(), uuid.uuid4().hex

    def send(line: int) -> None:
        place = 0
        while not over.is_set():
            events = [
                {
                    "id": f"{mark}-{line}-{place}-{one}",
                    "user": f"{mark}-{line}",
                    "item": "i1",
                    "behaviour": "view",
                }
                for one in range(3)
            ]
            status = 0
            while status != 200 and not over.is_set():  # sent again until it is acknowledged
                status, _ = service.ask("POST", "/v1/events", {"events": events}, 10.0)
                if status != 200:
                    time.sleep(0.05)
            if status == 200:
                acknowledged.extend(str(one["id"]) for one in events)
            place += 1

    lines = [threading.Thread(target=send, args=(line,)) for line in range(4)]
    for line in lines:
        line.start()
    slowest, chance = 0.0, random.Random(0)
    try:
        for place in range(times):
            _complete(service, module)
            time.sleep(chance.random() * 0.5)
            began = time.monotonic()
            service.kill(module)
            event = {"id": f"{mark}-kill-{place}", "user": f"{mark}-k", "item": "i2", "behaviour": "view"}
            while service.ask("POST", "/v1/events", {"events": [event]}, 10.0)[0] != 200:
                time.sleep(0.02)
            acknowledged.append(str(event["id"]))
            slowest = max(slowest, time.monotonic() - began)
    finally:
        over.set()
        for line in lines:
            line.join()
    stored = [name for name in _ids(service) if name.startswith(mark)]
    lost, doubled = len(set(acknowledged) - set(stored)), len(stored) - len(set(stored))
    return {
        "kills": times,
        "acknowledged": len(acknowledged),
        "lost": lost,
        "doubled": doubled,
        "slowest_ready_seconds": round(slowest, 2),
        "met": not lost and not doubled and slowest <= READY_SECONDS,
    }


def _complete(service: Service, module: str) -> None:
    """Wait until the other workers have come back: they are killed one by one, as machines lose them."""
    end = time.monotonic() + 60
    while module == "worker" and time.monotonic() < end:
        if len(found := service.megabytes(module)) == WORKERS and min(found) > LOADED_MEGABYTES:
            return
        time.sleep(0.1)


def _ids(service: Service) -> list[str]:
    """The ids of all events, by an export."""
    return [str(json.loads(line)["id"]) for line in _exported(service).splitlines()]


def _exported(service: Service) -> str:
    import urllib.request

    job = service.table("POST", "/v1/export", {})["job"]
    found = service.done(job)
    assert found["state"] == "done", found
    headers = {"Authorization": f"Bearer {service.key}"}
    request = urllib.request.Request(f"{service.address}/v1/export?job={job}", headers=headers)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return bytes(answer.read()).decode()


def rows_of(file: Path, rows: int) -> None:
    """Write a log of some rows."""
    chance = random.Random(1)
    with file.open("w", encoding="utf-8") as handle:
        handle.write("user,item,behaviour,time,value\n")
        for place in range(rows):
            person, item = chance.randrange(50_000), chance.randrange(CATALOGUE)
            handle.write(f"p{person},i{item},view,{1_600_000_000 + place},{place % 7}\n")


def imported(service: Service, file: Path, rows: int, deaths: int) -> Table:
    """Import a file, with so many kills of the process that does it; the digest of what is stored."""
    began = time.monotonic()
    job = service.table("POST", "/v1/import?name=rows.csv&value=value", file.read_bytes())["job"]
    for place in range(deaths):
        while True:
            table = service.table("GET", f"/v1/jobs?job={job}")
            progress = table["progress"]
            assert isinstance(progress, dict)
            if (progress.get("done") or 0) > rows * (place + 1) / (deaths + 2) or table["state"] == "done":
                break
            time.sleep(0.05)
        service.kill("runner")
    found = service.done(job)
    seconds = time.monotonic() - began
    digest = hashlib.sha256()
    for line in sorted(_exported(service).splitlines()):
        event = json.loads(line)
        if str(event["id"]).startswith("import/"):
            digest.update(
                f"{event['id']} {event['user']} {event['item']} {event['time']} {event['value']}\n".encode()
            )
    return {
        "rows": rows,
        "seconds": round(seconds, 1),
        "rows_per_second": round(rows / seconds),
        "state": found["state"],
        "digest": digest.hexdigest()[:16],
    }


def imports(model: Path, folder: Path, rows: int, deaths: int, log: Path) -> Table:
    """A file of rows imported at once, and by processes that are killed: the same is stored."""
    file = folder / "rows.csv"
    rows_of(file, rows)
    found: list[Table] = []
    for name, times in (("whole", 0), ("killed", deaths)):
        with started([str(model), "--data", str(folder / name), "--workers", "1"], log) as service:
            found.append(imported(service, file, rows, times))
    same = found[0]["digest"] == found[1]["digest"]
    seconds = found[0]["seconds"]
    assert isinstance(seconds, float)
    return {"whole": found[0], "killed": found[1], "same": same, "met": same and seconds * 1e6 / rows <= 120}


def erasure(service: Service, folder: Path, times: int) -> Table:
    """Erase people; how long until no file of the service holds their ids."""
    slowest, left = 0.0, 0
    for _ in range(times):
        name = f"person-{uuid.uuid4().hex}"
        events = [{"user": name, "item": f"i{place}", "behaviour": "view"} for place in range(20)]
        service.table("POST", "/v1/events", {"events": events})
        service.table("POST", "/v1/recommend", {"user": name})
        service.table("PUT", "/v1/users", {"users": [{"user": name, "properties": {"mail": f"{name}@x.y"}}]})
        time.sleep(0.3)
        began = time.monotonic()
        found = service.done(service.table("POST", "/v1/erase", {"user": name})["job"])
        while (held := _holding(folder, name.encode())) and time.monotonic() < began + 60:
            time.sleep(0.25)
        slowest = max(slowest, time.monotonic() - began)
        left += bool(held) or found["state"] != "done"
    return {
        "people": times,
        "left": left,
        "slowest_seconds": round(slowest, 1),
        "met": not left and slowest <= 60,
    }


def _holding(folder: Path, name: bytes) -> list[str]:
    found = []
    for file in folder.rglob("*"):
        try:
            if file.is_file() and name in file.read_bytes():
                found.append(file.name)
        except OSError:
            continue
    return found


def integrity(service: Service, folder: Path, copies: Path, seconds: float) -> Table:
    """Writes, reads and backups for a while; every backup and, at the end, the database itself are whole."""
    over, counts = threading.Event(), {"writes": 0, "reads": 0}

    def work(line: int) -> None:
        place, mark = 0, uuid.uuid4().hex
        while not over.is_set():
            event = {"id": f"{mark}-{place}", "user": f"u{place % 99}", "item": "i3", "behaviour": "view"}
            counts["writes"] += service.ask("POST", "/v1/events", {"events": [event]})[0] == 200
            counts["reads"] += service.ask("POST", "/v1/recommend", {"user": f"u{line}"})[0] == 200
            place += 1

    lines = [threading.Thread(target=work, args=(line,)) for line in range(2)]
    for line in lines:
        line.start()
    end, clean, copied = time.monotonic() + seconds, 0, 0
    try:
        while time.monotonic() < end or not copied:
            began = time.monotonic()
            copy = copies / f"copy{copied}"
            command = [
                sys.executable,
                "-m",
                "intertask",
                "serve",
                "--data",
                str(folder),
                "--backup",
                str(copy),
            ]
            subprocess.run(command, check=True, capture_output=True)
            clean += _whole(copy / "store.sqlite")
            copied += 1
            over.wait(max(0.0, min(60.0, seconds / 4) - (time.monotonic() - began)))
    finally:
        over.set()
        for line in lines:
            line.join()
    service.end()
    well = _whole(folder / "store.sqlite")
    return {
        "seconds": round(seconds),
        **counts,
        "backups": copied,
        "clean": clean,
        "met": well and clean == copied,
    }


def _whole(file: Path) -> bool:
    import apsw

    connection = apsw.Connection(str(file))
    try:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


def tuning(folder: Path, times: int) -> Table:
    """A tuning that is killed again and again finds the same best as one that is not."""
    from intertask.service.demo import demo

    demo(folder / "shop", lambda line: None)
    recipe = folder / "shop" / "tune.toml"
    text = (folder / "shop" / "recipe.toml").read_text(encoding="utf-8").replace("epochs = 4", "epochs = 2")
    recipe.write_text(text + SPACE, encoding="utf-8")
    chance, found = random.Random(2), []
    for name, deaths in (("whole", 0), ("killed", times)):
        command = [sys.executable, "-m", "intertask", "tune", str(recipe), "--minutes", "60", "--trials", "4"]
        command += ["--folder", str(folder / name)]
        killed = 0
        while True:
            child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                child.wait(3 + 12 * chance.random() if killed < deaths else None)
                break
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                killed += 1
        table = json.loads((folder / name / "tuned.json").read_text(encoding="utf-8"))
        found.append((killed, table["winner"], table["means"], (folder / name / "best.toml").read_text()))
    same = found[0][1:] == found[1][1:]
    return {
        "kills": found[1][0],
        "winner": found[0][1],
        "same": same,
        "met": same and found[1][0] >= min(times, 1),
    }
