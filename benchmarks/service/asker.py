"""Requests to a service from one thread: connections that stay open, and how long answers take."""

import asyncio
import gc
import json
import time
from collections.abc import Callable, Coroutine
from selectors import SelectSelector
from typing import TypeVar, cast
from urllib.parse import urlsplit

import numpy as np
import uvloop

TOGETHER = 16  # connections
Table = dict[str, object]
Found = TypeVar("Found")


class _Connection(asyncio.Protocol):
    """A connection that sends a request and waits for its answer, one after the other."""

    def __init__(self) -> None:
        self.transport: asyncio.WriteTransport | None = None
        self.ended = False
        self._got = b""
        self._asked: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass of it

    def ask(self, content: bytes) -> asyncio.Future[bytes]:
        """Head and body of the answer."""
        assert self.transport is not None
        self._got, self._asked = b"", asyncio.get_running_loop().create_future()
        self.transport.write(content)
        return self._asked

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        length = self._got.find(b"content-length:", 0, end) + 15  # as uvicorn writes it
        whole = end + 4 + int(self._got[length : self._got.index(b"\r\n", length)])
        if len(self._got) >= whole and self._asked is not None and not self._asked.done():
            self._asked.set_result(self._got)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(exc or EOFError("the connection ended"))


class Asker:
    """Connections to a service that stay open, with no more of HTTP than it speaks itself.

    It shares the machine with what it measures: what it spends is missing there. So answers are read
    without streams, and their bodies only where somebody wants them.
    """

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address)
        self.host, self.port, self.key = parts.hostname or "", parts.port or 80, key
        self.idle: list[_Connection] = []

    async def __call__(
        self, path: str, body: Table | bytes | None, *, anew: bool = False, method: str = "POST"
    ) -> tuple[int, Table]:
        """Status and answer of a request; raises `OSError` or `EOFError` where the connection ends."""
        status, answer = await self.raw(path, body, anew=anew, method=method)
        return status, json.loads(answer[answer.index(b"\r\n\r\n") + 4 :])

    async def raw(
        self, path: str, body: Table | bytes | None, *, anew: bool = False, method: str = "POST"
    ) -> tuple[int, bytes]:
        """The same, with the answer as it came."""
        found = None
        while found is None and self.idle and not anew:
            found = self.idle.pop()
            if found.ended:  # the service ends what is idle for long
                found = None
        if found is None:
            loop = asyncio.get_running_loop()
            _, found = await loop.create_connection(_Connection, self.host, self.port)
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        answer = await found.ask(head.encode() + content)
        if anew and found.transport is not None:
            found.transport.close()
        else:
            self.idle.append(found)
        return int(answer[9:12]), answer


def run(work: Coroutine[None, None, Found], *, exact: bool = False) -> Found:
    """Run it; `exact` has timers of microseconds, where the usual ones are late by up to a millisecond.

    Exact ones are those of `select`, which knows a thousand connections at most.
    """
    loop = (lambda: asyncio.SelectorEventLoop(SelectSelector())) if exact else uvloop.new_event_loop
    gc.disable()  # what it makes is in no circles, and to look for them takes from what is measured
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(work)
    finally:
        gc.enable()


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
            status, _ = await ask.raw(path, body)
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

    async def one(number: int, due: float) -> None:
        try:
            status, _ = await ask.raw("/v1/recommend", body(number) if callable(body) else body)
        except (OSError, EOFError):
            status = 0
        statuses.append(status)
        if status == 200:
            taken.append(loop.time() - due)

    under_way: set[asyncio.Task[None]] = set()
    for number in range(num):  # begun when due: tens of thousands that sleep would take from what is measured
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - loop.time()))
        task = asyncio.create_task(one(number, due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
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
