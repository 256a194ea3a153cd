"""Every figure of the service, one after the other: a line of JSON for each, and all of them in a file.

    python benchmarks/service/all.py [--minutes 20] [--out FILE] [--only NAME,NAME] [--work FOLDER] [--again]

What stands in the file already is not measured again, so that it may be stopped and gone on with. `--minutes`
scales counts and times: 20 is the full number of most of them, 100 of the hour of load and the half hour of
backups, 200 of the 100,000 malformed requests (`--only malformed`). Each says `met`: whether it is what was
asked for; `scale` below 1 says that it was asked for less.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import answers_of
import endurance
import httpx
import load
from asker import Table, together
from large import write
from started import Service, postgresql, started

ITEMS, PEOPLE = 100_000, 1_000
FULL_MINUTES = 20.0


@dataclass
class Bench:
    """What the measurements share.

    Args:
        folder: For models, services and logs.
        scale: Of counts and times.
        items: Of the model.
    """

    folder: Path
    scale: float
    items: int

    @property
    def log(self) -> Path:
        """Where services say what is wrong."""
        return self.folder / "services.log"

    def model(self, seed: int) -> Path:
        """A model of many items; another one for each seed."""
        folder = self.folder / f"model{seed}"
        if not (folder / "manifest.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            write(folder, self.items, PEOPLE, seed)
        return folder

    def fresh(self, name: str) -> Path:
        """The folder of a new service."""
        folder = self.folder / "services" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def service(self, name: str, database: str | None = None) -> Iterator[Service]:
        """A new service of the large model."""
        words = [str(self.model(0)), "--data", str(self.fresh(name))]
        with started(words, self.log, database) as found:
            yield found

    def times(self, full: int) -> int:
        """A count, scaled."""
        return max(2, round(full * self.scale))


def _of(work: Callable[[Service, float], Table]) -> Callable[[Bench], Table]:
    def measured(bench: Bench) -> Table:
        with bench.service("one") as service:
            return work(service, bench.scale)

    return measured


def demo(bench: Bench) -> Table:
    """How long `intertask serve --demo` takes on a fresh folder until it answers; Node cannot be found."""
    folder = bench.fresh("demo")
    began = time.monotonic()
    with started(["--demo", "--data", str(folder)], bench.log) as service:
        status, _ = service.ask("POST", "/v1/recommend", {"user": "user001"})
        seconds = time.monotonic() - began
    return {"seconds": round(seconds, 1), "status": status, "met": status == 200 and seconds <= 60}


def memory(bench: Bench) -> Table:
    """Memory of a worker with two versions."""
    with bench.service("one") as service:
        _second(bench, service)
        service.table("POST", "/v1/models/publish", {"version": 2})
        load.asked(service, lambda ask: together(ask, 200, lambda place: ("/v1/recommend", load.body(place))))
        found = service.megabytes("worker")
        store = service.megabytes("store")
    return {"workers_megabytes": found, "store_megabytes": store, "met": max(found) <= 700}


def _second(bench: Bench, service: Service) -> None:
    from zipped_model import zipped

    found = service.done(service.table("POST", "/v1/models?name=m.zip", zipped(bench.model(1)))["job"])
    assert found["state"] == "done", found


def publishing(bench: Bench) -> Table:
    """Swaps, rollbacks and broken candidates under load."""
    with bench.service("publishing") as service:
        models = bench.folder / "services" / "publishing" / "models"
        _second(bench, service)
        load.broken(service, bench.model(2), models)
        return load.publishing(service, bench.scale, models)


def soak(bench: Bench) -> Table:
    """An hour of load at 90 minutes or more of `--minutes`; two minutes at 20."""
    seconds = 3_600.0 / bench.scale if bench.scale * FULL_MINUTES >= 90 else 120.0
    with bench.service("soak") as service:
        return load.soak(service, bench.scale, seconds)


def parity(bench: Bench) -> Table:
    """Lists equal those of the library."""
    with bench.service("one") as service:
        return answers_of.parity(service, bench.model(0), bench.times(10_000))


def paging(bench: Bench) -> Table:
    """Pages of lists while events come and the model changes."""
    with bench.service("paging") as service:
        _second(bench, service)
        return answers_of.paging(service, bench.times(20))


def malformed(bench: Bench) -> Table:
    """Malformed requests: 100,000 at 200 minutes, 10,000 at 20."""
    with started([str(bench.model(3)), "--data", str(bench.fresh("malformed"))], bench.log) as service:
        return answers_of.malformed(service, bench.times(10_000))


def contract(bench: Bench) -> Table:
    """What schemathesis makes of the committed interface: 40,000 requests at 200 minutes, 4,000 at 20."""
    from contract import Contract

    with started([str(bench.model(3)), "--data", str(bench.fresh("contract"))], bench.log) as service:
        with httpx.Client(base_url=service.address, timeout=30.0) as client:
            found = Contract(client.request, service.key)
            found.try_all(bench.times(43), seed=11)
        return found.table()


def kills(bench: Bench) -> Table:
    """Kill the process that writes SQLite while events come in."""
    with bench.service("kills") as service:
        return endurance.kills(service, bench.times(100), "store")


def kills_postgresql(bench: Bench) -> Table:
    """Kill workers, which write PostgreSQL, while events come in: 100 times at 100 minutes, 20 at 20."""
    with postgresql() as address, bench.service("kills-pg", address) as service:
        return endurance.kills(service, min(100, bench.times(20)), "worker")


def freshness_postgresql(bench: Bench) -> Table:
    """Freshness with PostgreSQL."""
    with postgresql() as address, bench.service("fresh-pg", address) as service:
        return load.freshness(service, bench.scale)


def imports(bench: Bench) -> Table:
    """A million rows, imported at once and by processes that are killed."""
    folder = bench.fresh("imports")
    folder.mkdir()
    return endurance.imports(bench.model(0), folder, bench.times(1_000_000), 3, bench.log)


def erasure(bench: Bench) -> Table:
    """People are erased."""
    with bench.service("erasure") as service:
        return endurance.erasure(service, bench.folder / "services" / "erasure", min(10, bench.times(5)))


def integrity(bench: Bench) -> Table:
    """Writes, reads and backups: 30 minutes at 100 minutes or more, one at 20."""
    seconds = 1_800.0 if bench.scale >= 5 else 60.0 * bench.scale
    copies = bench.fresh("copies")
    copies.mkdir()
    with bench.service("integrity") as service:
        return endurance.integrity(service, bench.folder / "services" / "integrity", copies, seconds)


def tuning(bench: Bench) -> Table:
    """A tuning that is killed finds the same best."""
    folder = bench.fresh("tuning")
    folder.mkdir()
    return endurance.tuning(folder, bench.times(5))


def alarms(bench: Bench) -> Table:
    """A/A experiments."""
    return answers_of.alarms(bench.times(5_000))


FIGURES: dict[str, Callable[[Bench], Table]] = {
    "lists": _of(load.lists),
    "ingest": _of(load.ingest),
    "freshness": _of(load.freshness),
    "training": _of(load.training),
    "memory": memory,
    "demo": demo,
    "publishing": publishing,
    "hidden": _of(load.hidden),
    "parity": parity,
    "paging": paging,
    "kills": kills,
    "freshness_postgresql": freshness_postgresql,
    "kills_postgresql": kills_postgresql,
    "erasure": erasure,
    "alarms": alarms,
    "malformed": malformed,
    "contract": contract,
    "integrity": integrity,
    "soak": soak,
    "imports": imports,
    "tuning": tuning,
}


def measured(names: list[str], bench: Bench, out: Path, *, again: bool) -> bool:
    """Measure what is not in the file yet; whether everything is what was asked for."""
    found: dict[str, Table] = {}
    if out.exists() and not again:
        found = json.loads(out.read_text(encoding="utf-8"))
    for name in names:
        if name not in found or "error" in found[name]:
            began = time.monotonic()
            try:
                found[name] = FIGURES[name](bench)
            except Exception as error:  # the others are measured all the same
                traceback.print_exc()
                found[name] = {"error": f"{type(error).__name__}: {error}"[:500], "met": False}
            more = {"took_seconds": round(time.monotonic() - began, 1), "load": round(os.getloadavg()[0], 1)}
            found[name] |= more | {"scale": bench.scale}
            aside = out.with_suffix(".part")
            aside.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            aside.replace(out)
        print(json.dumps({"figure": name} | found[name]), flush=True)
    return all(found[name]["met"] for name in names)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=FULL_MINUTES)
    parser.add_argument("--out", type=Path, default=Path("service-figures.json"))
    parser.add_argument("--only", default=",".join(FIGURES), help="names: " + ", ".join(FIGURES))
    parser.add_argument("--work", type=Path, default=Path("service-figures"))
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--again", action="store_true", help="measure what is in the file too")
    chosen = parser.parse_args()
    names = chosen.only.split(",")
    if strange := set(names) - FIGURES.keys():
        parser.error(f"no figure of the name {min(strange)}")
    chosen.work.mkdir(parents=True, exist_ok=True)
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False)
    print(json.dumps({"commit": commit.stdout.strip(), "minutes": chosen.minutes, "items": chosen.items}))
    bench = Bench(chosen.work.absolute(), chosen.minutes / FULL_MINUTES, chosen.items)
    sys.exit(0 if measured(names, bench, chosen.out, again=chosen.again) else 1)


if __name__ == "__main__":
    main()
