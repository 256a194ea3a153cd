"""Requests to a service from one thread: connections that stay open, and how long answers take."""

import asyncio
import json
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import numpy as np

TOGETHER = 16  # connections
Table = dict[str, object]


class Asker:
    """Connections to a service that stay open, with no more of HTTP than it speaks itself."""

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address)
        self.host, self.port, self.key = parts.hostname or "", parts.port or 80, key
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def __call__(
        self, path: str, body: Table | bytes | None, *, anew: bool = False, method: str = "POST"
    ) -> tuple[int, Table]:
        """Status and answer of a request; raises `OSError` or `EOFError` where the connection ends."""
        found = None
        while found is None and self.idle and not anew:
            found = self.idle.pop()
            if found[0].at_eof():  # the service ends what is idle for long
                found[1].close()
                found = None
        reader, writer = found or await asyncio.open_connection(self.host, self.port)
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {self.key}\r\n"
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


async def together(
    ask: Asker, num: int, request: Callable[[int], tuple[str, Table]], connections: int = TOGETHER
) -> Table:
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
    await asyncio.gather(*(work() for _ in range(connections)))
    seconds = time.perf_counter() - began
    refused = sum(status != 200 for status in statuses)
    busy = sum(status == 429 for status in statuses)
    wrong = sum(status >= 500 for status in statuses)
    answered = len(statuses) - refused
    return {
        "per_second": round(answered / seconds, 1),
        "refused": refused,
        "busy": busy,
        "faults": wrong,
        **percentiles(taken),
    }


async def steady(ask: Asker, num: int, rate: float, body: Table | Callable[[int], Table]) -> Table:
    """How long lists take that are asked for at a steady rate, counted from when each was due."""
    taken: list[float] = []
    statuses: list[int] = []
    loop = asyncio.get_running_loop()
    start = loop.time() + 0.1

    async def one(number: int) -> None:
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - loop.time()))
        try:
            status, _ = await ask("/v1/recommend", body(number) if callable(body) else body)
        except (OSError, EOFError):
            status = 0
        statuses.append(status)
        if status == 200:
            taken.append(loop.time() - due)

    await asyncio.gather(*(one(number) for number in range(num)))
    seconds = loop.time() - start
    return {
        "rate": round(rate, 1),
        "answered_per_second": round(statuses.count(200) / seconds, 1),
        "refused": num - statuses.count(200),
        "busy": statuses.count(429),
        "faults": sum(not 200 <= status < 500 for status in statuses),
        **(percentiles(taken) if taken else {}),
    }


def number(table: Table, name: str) -> float:
    """A number of a table."""
    found = table[name]
    assert isinstance(found, int | float)
    return float(found)
