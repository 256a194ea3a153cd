"""Lists, events and changes of the model while many ask: a service of 100,000 items."""

import asyncio
import json
import secrets
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from asker import Asker, Table, number, run, steady, together
from started import Service

RECIPE = """
name = "beside"
width = 32
max_length = 30
encoder = {kind = "gru"}
tasks = {next = {kind = "next_item"}}
train = {epochs = 50, workers = 0}
evaluation = {resamples = 100, baselines = {popularity = {kind = "popularity"}}}
"""
KNOWN_PEOPLE = 1_000
SETTLE_SECONDS = 6.0  # the process that makes models is still starting when the first list is answered
CHANGE_SECONDS = 0.1  # between changes of the model, for lists to meet each


def body(person: int) -> Table:
    """A request for a list of one of the people that the service knows."""
    return {"user": f"u{person % KNOWN_PEOPLE}", "k": 10}


def asked(service: Service, work: Callable[[Asker], Awaitable[Table]], *, exact: bool = False) -> Table:
    """What a measurement finds; `exact` where few ask at a steady rate."""

    async def measure() -> Table:
        ask = Asker(service.address, service.key)
        for place in range(40):
            await ask("/v1/recommend", body(place))
        return await work(ask)

    return run(measure(), exact=exact)


def lists(service: Service, scale: float) -> Table:
    """Lists at 100 a second, at most, and at three times that."""
    requests = max(50, int(3_000 * scale))

    async def at_100(ask: Asker) -> Table:
        return await steady(ask, requests, 100.0, body)

    async def at_most(ask: Asker) -> Table:
        most = await together(ask, requests, lambda place: ("/v1/recommend", body(place)), 128)
        best = number(most, "per_second")
        over = await steady(ask, int(3 * best * max(2.0, 15 * scale)), 3 * best, body)
        return {
            "most": most,
            "three_times": over,
            "kept": round(number(over, "answered_per_second") / best, 3),
        }

    time.sleep(SETTLE_SECONDS)
    even, found = asked(service, at_100, exact=True), asked(service, at_most)
    most, over = found["most"], found["three_times"]
    assert isinstance(most, dict)
    assert isinstance(over, dict)
    well = number(even, "p50_ms") <= 8 and number(even, "p99_ms") <= 30 and number(most, "per_second") >= 350
    well = well and number(found, "kept") >= 0.8 and not over["faults"] and not even["refused"]
    return {"at_100": even, **found, "met": well}


def ingest(service: Service, scale: float) -> Table:
    """Requests of one event a second, and events a second in batches of 1,000."""
    singles, batches, mark = max(100, int(15_000 * scale)), max(5, int(150 * scale)), uuid.uuid4().hex

    def event(place: int) -> Table:
        person, item = f"{mark}-{place % 997}", f"i{place % 1_000}"
        return {"id": f"{mark}-{place}", "user": person, "item": item, "behaviour": "view"}

    async def work(ask: Asker) -> Table:
        single = await together(ask, singles, lambda place: ("/v1/events", {"events": [event(place)]}), 32)
        many = await together(
            ask,
            batches,
            lambda batch: (
                "/v1/events",
                {"events": [event(singles + batch * 1_000 + place) for place in range(1_000)]},
            ),
            8,
        )
        rate = 1_000 * number(many, "per_second")
        well = number(single, "per_second") >= 1_000 and rate >= 10_000
        return {"single": single, "batches": many, "events_per_second": rate, "met": well}

    return asked(service, work)


def freshness(service: Service, scale: float) -> Table:
    """Each acknowledged event is in the next answer, by connections that are opened anew."""
    events, mark = max(20, int(1_000 * scale)), uuid.uuid4().hex

    async def work(ask: Asker) -> Table:
        fresh, taken = 0, []
        for place in range(events):
            event = {"user": f"{mark}-{place}", "item": f"i{place % 900}", "behaviour": "view"}
            began = time.perf_counter()
            status, _ = await ask("/v1/events", {"events": [event]}, anew=True)
            request = {"user": event["user"], "allow": [event["item"]], "seen": True}
            _, answer = await ask("/v1/recommend", request, anew=True)
            taken.append(time.perf_counter() - began)
            fresh += status == 200 and answer["items"] == [] and answer["degraded"] is None
        p99 = 1e3 * sorted(taken)[int(0.99 * len(taken))]
        return {
            "events": events,
            "fresh": fresh,
            "p99_ms": round(p99, 1),
            "met": fresh == events and p99 <= 100,
        }

    return asked(service, work)


async def _meanwhile(ask: Asker, rate: float, until: asyncio.Event, found: list[int]) -> None:
    """Ask for lists at a rate until something is over; their statuses."""
    loop, place = asyncio.get_running_loop(), 0
    start, tasks = loop.time(), set[asyncio.Task[None]]()

    async def one(place: int) -> None:
        try:
            found.append((await ask("/v1/recommend", body(place)))[0])
        except (OSError, EOFError):
            found.append(0)

    while not until.is_set():
        task = asyncio.create_task(one(place))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        place += 1
        await asyncio.sleep(max(0.0, start + place / rate - loop.time()))
    await asyncio.gather(*tasks)


def _beside(service: Service, rate: float, work: Callable[[], Table]) -> tuple[Table, list[int]]:
    """What some work finds in a thread of its own while lists are asked for, and their statuses."""

    async def measure() -> tuple[Table, list[int]]:
        ask, until, found = Asker(service.address, service.key), asyncio.Event(), list[int]()
        load = asyncio.create_task(_meanwhile(ask, rate, until, found))
        try:
            done = await asyncio.to_thread(work)
        finally:
            until.set()
            await load
        return done, found

    return run(measure())


def hidden(service: Service, scale: float) -> Table:
    """Items that are hidden stand in no answer later than a second after."""
    items = max(3, int(40 * scale))

    def work() -> Table:
        late = 0
        for place in range(items):
            request = {"user": f"u{place}", "k": 1, "seen": False}
            first = service.table("POST", "/v1/recommend", request)["items"]
            assert isinstance(first, list)
            item = first[0]["item"]
            service.table("POST", "/v1/items/hide", {"items": [item]})
            time.sleep(1.0)
            for _ in range(4):
                request = {"user": f"u{place}", "k": 5, "seen": False}
                again = service.table("POST", "/v1/recommend", request)["items"]
                assert isinstance(again, list)
                late += any(one["item"] == item for one in again)
            service.table("POST", "/v1/items/hide", {"items": [item], "hidden": False})
        return {"items": items, "shown_late": late}

    done, statuses = _beside(service, 50.0, work)
    return done | {"lists": len(statuses), "met": done["shown_late"] == 0}


def publishing(service: Service, scale: float, models: Path) -> Table:
    """Swaps, rollbacks and broken candidates under load; versions 1 and 2 are whole, version 3 is broken.

    Args:
        service: With three versions.
        scale: Of the times.
        models: The registry of the service.
    """
    swaps, rollbacks = max(2, int(100 * scale)), max(1, int(20 * scale))

    def work() -> Table:
        refused = 0
        for place in range(swaps):
            service.table("POST", "/v1/models/publish", {"version": 2 - place % 2})
            time.sleep(CHANGE_SECONDS)
        before = service.megabytes("worker")
        for _ in range(rollbacks):
            service.table("POST", "/v1/models/rollback", {})
            status, _ = service.ask("POST", "/v1/models/publish", {"version": 3}, 120.0)
            refused += status == 409
        for place in range(swaps):
            service.table("POST", "/v1/models/publish", {"version": 2 - place % 2})
            time.sleep(CHANGE_SECONDS)
        after = service.megabytes("worker")
        return {
            "swaps": 2 * swaps,
            "rollbacks": rollbacks,
            "broken_refused": refused,
            "megabytes": after,
            "grown": round(max(after) / max(before) - 1, 3),
        }

    done, statuses = _beside(service, 30.0, work)
    failed = sum(status != 200 for status in statuses)
    well = not failed and done["broken_refused"] == rollbacks and number(done, "grown") <= 0.05
    well = well and max(service.megabytes("worker")) <= 700 and models.exists()
    return done | {"lists": len(statuses), "failed": failed, "met": well}


def broken(service: Service, folder: Path, models: Path) -> None:
    """Bring a third version in, and damage it in the registry."""
    from zipped_model import zipped

    before = {one.name for one in models.iterdir()}
    job = service.table("POST", "/v1/models?name=m.zip", zipped(folder))["job"]
    found = service.done(job)
    assert found["state"] == "done", found
    (added,) = [one for one in models.iterdir() if one.is_dir() and one.name not in before]
    weights = added / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-64:] = secrets.token_bytes(64)
    weights.write_bytes(content)


def training(service: Service, scale: float) -> Table:
    """Lists at 100 a second while a training runs."""
    requests = max(50, int(3_000 * scale))
    job = service.table("POST", "/v1/train", {"recipe": RECIPE, "publish": "never"})["job"]
    end = time.monotonic() + 120
    while time.monotonic() < end:  # until it trains
        found = service.table("GET", f"/v1/jobs?job={job}")
        if found["progress"] or found["state"] not in ("waiting", "running"):
            break
        time.sleep(0.2)

    async def work(ask: Asker) -> Table:
        return await steady(ask, requests, 100.0, body)

    even = asked(service, work)
    state = service.table("GET", f"/v1/jobs?job={job}")
    service.ask("POST", "/v1/jobs/stop", {"job": job})
    trained = state["state"] == "running"
    well = number(even, "p99_ms") <= 60 and not even["refused"] and trained
    return even | {"state": state["state"], "progress": json.dumps(state["progress"]), "met": well}


def soak(service: Service, scale: float, seconds: float) -> Table:
    """Lists and events for a while; how memory grows after the first sixth of it."""
    mark, length = uuid.uuid4().hex, max(6.0, seconds * scale)

    def work() -> Table:
        start, place = time.monotonic(), 0
        first: list[int] = []
        while (gone := time.monotonic() - start) < length:
            events = [{"user": f"u{place % 1000}", "item": f"i{place % 5000}", "behaviour": "view"}]
            service.ask("POST", "/v1/events", {"events": [events[0] | {"id": f"{mark}-{place}"}]})
            if not first and gone > length / 6:
                first = service.megabytes("worker")
            place += 1
            time.sleep(0.05)
        last = service.megabytes("worker")
        return {"seconds": round(length), "events": place, "from": first, "to": last}

    done, statuses = _beside(service, 50.0, work)
    first, last = done["from"], done["to"]
    assert isinstance(first, list)
    assert isinstance(last, list)
    grown = max(b / a - 1 for a, b in zip(first, last, strict=True)) if len(first) == len(last) else 1.0
    failed = Counter(str(status) for status in statuses if status != 200)
    well = grown < 0.05 and not failed and max(last) <= 700
    return done | {"lists": len(statuses), "failed": dict(failed), "grown": round(grown, 4), "met": well}
