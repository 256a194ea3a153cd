"""What answers must be: those of the library, refusals of what is malformed, alarms as often as told."""

import asyncio
import importlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from asker import Asker, Table
from started import ROOT, Service

from intertask import Recommender
from intertask.service import effects
from intertask.service.experiments import Arm, Experiment
from intertask.service.routes import ROUTES

CLOSE = 1e-3
TOGETHER = 32
PAGES = 20


def parity(service: Service, model: Path, requests: int) -> Table:
    """Lists for histories that come with the request equal those of `Recommender.recommend`."""
    chance = random.Random(3)
    recommender = Recommender.load(model)
    items = recommender.answerer.reader.items.ids.cast(str).to_list()
    behaviours = recommender.answerer.reader.behaviours
    histories = [
        [(chance.choice(items), chance.choice(behaviours)) for _ in range(chance.randrange(1, 30))]
        for _ in range(requests)
    ]
    answers: list[list[tuple[str, float]]] = [[] for _ in histories]

    async def ask_all() -> None:
        ask, left = Asker(service.address, service.key), iter(range(requests))

        async def work() -> None:
            for place in left:
                history = [{"item": item, "behaviour": kind} for item, kind in histories[place]]
                status, found = await ask("/v1/recommend", {"history": history, "k": 10})
                assert status == 200, found
                listed: Any = found["items"]
                answers[place] = [(one["item"], one["score"]) for one in listed]

        await asyncio.gather(*(work() for _ in range(TOGETHER)))

    asyncio.run(ask_all())
    equal = same_order = 0
    for start in range(0, requests, 256):
        part = histories[start : start + 256]
        frame = recommender.recommend(histories=part, k=10)
        name = frame.columns[0]
        for place in range(len(part)):
            rows = frame.filter(frame[name] == place)
            expected = list(zip(rows["item"].cast(str).to_list(), rows["score"].to_list(), strict=True))
            found = answers[start + place]
            scores = [score for _, score in expected], [score for _, score in found]
            equal += len(scores[0]) == len(scores[1]) and np.allclose(*scores, CLOSE, CLOSE)
            same_order += [item for item, _ in expected] == [item for item, _ in found]
    # Two items of nearly one score may change places, where sums are made in another order.
    well = equal == requests and same_order >= 0.999 * requests
    return {"requests": requests, "equal_scores": equal, "same_items": same_order, "met": well}


def paging(service: Service, lists: int) -> Table:
    """20 pages of each list, with events and changes of the model between: no item twice, retries equal."""
    twice = changed = 0
    for place in range(lists):
        user = f"u{place}"
        page = service.table("POST", "/v1/recommend", {"user": user, "k": 10})
        found = _items(page)
        for number in range(PAGES - 1):
            event = {"user": user, "item": f"i{place * PAGES + number}", "behaviour": "view"}
            service.table("POST", "/v1/events", {"events": [event]})
            if number % 5 == 2:
                service.table("POST", "/v1/models/publish", {"version": 2 - (number // 5) % 2})
            body = {"cursor": page["cursor"]}
            page, again = (service.table("POST", "/v1/recommend/next", body) for _ in range(2))
            changed += _items(page) != _items(again)
            found += _items(page)
        twice += len(found) - len(set(found))
    return {
        "lists": lists,
        "pages": PAGES,
        "twice": twice,
        "changed": changed,
        "met": not twice and not changed,
    }


def _items(page: Table) -> list[str]:
    listed: Any = page["items"]
    return [one["item"] for one in listed]


def malformed(service: Service, requests: int) -> Table:
    """Malformed and odd requests of every route: none is answered by a fault, none waits for long."""
    sys.path.insert(0, str(ROOT))
    make: Callable[[httpx.Client, int], Any] = importlib.import_module("tests.service.test_fuzz").Sender
    # Neither may the key go, nor may a version or a training come between.
    left_out = ("/v1/keys/revoke", "/v1/models/publish", "/v1/train", "/v1/tune")
    routes = [route for route in ROUTES if route.path not in left_out]
    statuses: Counter[int] = Counter()
    hung, slowest, faults = 0, 0.0, list[str]()
    headers = {"Authorization": f"Bearer {service.key}"}
    with httpx.Client(base_url=service.address, headers=headers, timeout=30.0) as client:
        sender = make(client, 11)
        for place in range(requests):
            route = routes[place % len(routes)]
            began = time.monotonic()
            try:
                status = int(sender.send(route).status_code)
            except httpx.TimeoutException:
                hung += 1
                continue
            slowest = max(slowest, time.monotonic() - began)
            statuses[status] += 1
            if status >= 500:
                faults.append(f"{route.method} {route.path}: {status}")
    return {
        "requests": requests,
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "hung": hung,
        "slowest_seconds": round(slowest, 2),
        "faults": faults[:20],
        "met": not hung and not faults,
    }


def alarms(experiments: int) -> Table:
    """Experiments of two arms that are alike: how many of them raise an alarm; people stay in their arms."""
    chance, alarmed, moved = np.random.default_rng(17), 0, 0
    arms = (Arm(name="a"), Arm(name="b"))
    for number in range(experiments):
        experiment = Experiment(name=f"x{number}", arms=arms)
        people = [experiment.arm(1, f"user{person}") for person in range(200)]
        moved += people[:5] != [experiment.arm(1, f"user{person}") for person in range(5)]
        lists = chance.geometric(0.2, len(people))
        hits = chance.binomial(lists, np.clip(chance.normal(0.2, 0.1, len(people)), 0, 1))
        shares = []
        for arm in arms:
            chosen = np.array([one == arm for one in people])
            shares.append(effects.share(lists[chosen], hits[chosen]))
        alarmed += effects.effect(*shares).p_value < 0.05
    # 250 of 5,000 are expected of a test that says 5 %: 298 would come by chance once in a thousand times.
    most = 0.05 * experiments + 3.1 * (0.0475 * experiments) ** 0.5
    return {
        "experiments": experiments,
        "alarms": alarmed,
        "share": round(alarmed / experiments, 4),
        "moved": moved,
        "met": alarmed <= most and not moved,
    }
