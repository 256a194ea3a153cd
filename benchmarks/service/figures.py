"""What a running service can do, asked from one thread of this machine; prints JSON.

python benchmarks/service/figures.py ADDRESS KEY [--events 1000] [--requests 1000] [--rate 100]

freshness  each acknowledged event is in the next answer, by connections that are opened anew in between
ingest     requests of one event a second, and events a second in requests of 1,000
load       how long a list takes at a steady rate, and lists a second at most
"""

import argparse
import asyncio
import json
import time
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

import numpy as np

TOGETHER = 16  # connections
BATCH = 1_000
Table = dict[str, object]


class Asker:
    """Connections to a service that stay open, with no more of HTTP than it speaks itself."""

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address)
        self.host, self.port, self.key = parts.hostname or "", parts.port or 80, key
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def __call__(self, path: str, body: Table, *, anew: bool = False) -> tuple[int, Table]:
        """Status and answer of a POST."""
        self.idle = [
            one for one in self.idle if not one[0].at_eof()
        ]  # the service ends what is idle for long
        if anew or not self.idle:
            reader, writer = await asyncio.open_connection(self.host, self.port)
        else:
            reader, writer = self.idle.pop()
        content = json.dumps(body).encode()
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        answer: Table = json.loads(await reader.readexactly(length))
        if anew:
            writer.close()
        else:
            self.idle.append((reader, writer))
        return int(head.split()[1]), answer


def percentiles(seconds: list[float]) -> Table:
    """The middle and the end of a distribution, in milliseconds."""
    return {f"p{share}_ms": round(float(np.percentile(seconds, share)) * 1e3, 2) for share in (50, 90, 99)}


async def freshness(ask: Asker, num: int, items: list[str], behaviour: str) -> Table:
    """Events that were in the next answer, and how long both requests took."""
    fresh, taken, mark = 0, [], uuid.uuid4().hex
    for number in range(num):
        user, item = f"{mark}-{number}", items[number % len(items)]
        began = time.perf_counter()
        status, _ = await ask(
            "/v1/events", {"events": [{"user": user, "item": item, "behaviour": behaviour}]}, anew=True
        )
        assert status == 200
        _, answer = await ask("/v1/recommend", {"user": user, "allow": [item], "seen": True}, anew=True)
        taken.append(time.perf_counter() - began)
        fresh += answer["items"] == [] and answer["degraded"] is None
    return {"events": num, "fresh": fresh, **percentiles(taken)}


async def ingest(ask: Asker, num: int, items: list[str], behaviour: str) -> Table:
    """Requests of one event a second, and events a second in batches."""
    mark = uuid.uuid4().hex

    def event(number: int) -> Table:
        item = items[number % len(items)]
        return {
            "id": f"{mark}-{number}",
            "user": f"{mark}-{number % 997}",
            "item": item,
            "behaviour": behaviour,
        }

    single = await together(ask, num, lambda number: ("/v1/events", {"events": [event(number)]}))
    batches = max(1, num // 100)
    many = await together(
        ask,
        batches,
        lambda batch: (
            "/v1/events",
            {"events": [event(num + batch * BATCH + place) for place in range(BATCH)]},
        ),
    )
    return {"single": single, "batches_of_1000": many}


async def together(ask: Asker, num: int, request: Callable[[int], tuple[str, Table]]) -> Table:
    """Many requests by several connections, each as fast as it is answered."""
    left, taken, statuses = iter(range(num)), [], []

    async def work() -> None:
        for number in left:
            path, body = request(number)
            began = time.perf_counter()
            status, _ = await ask(path, body)
            taken.append(time.perf_counter() - began)
            statuses.append(status)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(TOGETHER)))
    seconds = time.perf_counter() - began
    refused = sum(status != 200 for status in statuses)
    return {"per_second": round(num / seconds, 1), "refused": refused, **percentiles(taken)}


async def steady(ask: Asker, num: int, rate: float, body: Table) -> Table:
    """How long lists take that are asked for at a steady rate, counted from when each was due."""
    taken, refused = [], 0
    loop = asyncio.get_running_loop()
    start = loop.time() + 0.1

    async def one(due: float) -> None:
        nonlocal refused
        await asyncio.sleep(max(0.0, due - loop.time()))
        status, _ = await ask("/v1/recommend", body)
        taken.append(loop.time() - due)
        refused += status != 200

    await asyncio.gather(*(one(start + number / rate) for number in range(num)))
    return {"rate": rate, "refused": refused, **percentiles(taken)}


async def measure(chosen: argparse.Namespace) -> Table:
    """All figures."""
    ask = Asker(chosen.address, chosen.key)
    body: Table = {"history": [{"item": item} for item in chosen.items.split(",")], "k": 10}
    items, behaviour = chosen.items.split(","), chosen.behaviour
    for _ in range(20):
        await ask("/v1/recommend", body)
    return {
        "freshness": await freshness(ask, chosen.events, items, behaviour),
        "ingest": await ingest(ask, chosen.events, items, behaviour),
        "load": await steady(ask, chosen.requests, chosen.rate, body),
        "most": await together(ask, chosen.requests, lambda _number: ("/v1/recommend", body)),
    }


def main() -> None:
    """Print the figures of a service."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("key")
    parser.add_argument("--events", type=int, default=1_000)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--items", default="i1,i2,i3,i4,i5", help="items that the model knows")
    parser.add_argument("--behaviour", default="view", help="a behaviour that it knows")
    print(json.dumps(asyncio.run(measure(parser.parse_args())), indent=1))


if __name__ == "__main__":
    main()
