"""Requests to a service from one thread: connections that stay open, and how long answers take."""

import asyncio
import gc
import json
import time
from collections.abc import Callable, Coroutine
from functools import partial
from selectors import SelectSelector
from typing import TypeVar, cast
from urllib.parse import urlsplit

import numpy as np
import uvloop

TOGETHER = 16  # connections
MOST_SENT = 16  # requests that are sent before answers are read
Table = dict[str, object]
Found = TypeVar("Found")


Answer = bytes | Exception  # head and body, or why none came


class _Connection(asyncio.Protocol):
    """A connection that sends a request and waits for its answer, one after the other."""

    def __init__(self) -> None:
        self.transport: asyncio.WriteTransport | None = None
        self.ended = False
        self._got = b""
        self._then: Callable[[Answer], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass of it

    def ask(self, content: bytes, then: Callable[[Answer], None]) -> None:
        """Send a request, and do something with its answer."""
        assert self.transport is not None
        self._got, self._then = b"", then
        self.transport.write(content)

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        length = self._got.find(b"content-length:", 0, end) + 15  # as uvicorn writes it
        whole = end + 4 + int(self._got[length : self._got.index(b"\r\n", length)])
        if len(self._got) >= whole:
            self._answered(self._got)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._answered(exc or EOFError("the connection ended"))

    def _answered(self, answer: Answer) -> None:
        then, self._then = self._then, None
        if then is not None:
            then(answer)


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
        found = None if anew else self._kept()
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def tell(answer: Answer) -> None:
            if answered.done():
                return
            if isinstance(answer, Exception):
                answered.set_exception(answer)
            else:
                answered.set_result(answer)

        found = found or await self._opened()
        found.ask(self._written(path, body, method), tell)
        answer = await answered
        if anew and found.transport is not None:
            found.transport.close()
        else:
            self.idle.append(found)
        return int(answer[9:12]), answer

    async def send(self, path: str, body: Table | bytes, then: Callable[[int], None]) -> None:
        """Send a request; `then` gets its status, 0 where none came. Waits for a connection alone."""

        def tell(answer: Answer) -> None:
            if isinstance(answer, Exception):
                then(0)
            else:
                self.idle.append(found)
                then(int(answer[9:12]))

        try:
            found = self._kept() or await self._opened()
        except OSError as error:
            tell(error)
            return
        found.ask(self._written(path, body, "POST"), tell)

    def _kept(self) -> _Connection | None:
        while self.idle:
            found = self.idle.pop()
            if not found.ended:  # the service ends what is idle for long
                return found
        return None

    async def _opened(self) -> _Connection:
        _, found = await asyncio.get_running_loop().create_connection(_Connection, self.host, self.port)
        return found

    def _written(self, path: str, body: Table | bytes | None, method: str) -> bytes:
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content


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
    start, over = loop.time() + 0.1, asyncio.Event()

    def answered(due: float, status: int) -> None:
        statuses.append(status)
        if status == 200:
            taken.append(loop.time() - due)
        if len(statuses) == num:
            over.set()

    # A task or a timer for each would take from what is measured: those that are due are sent together.
    for number in range(num):
        due = start + number / rate
        if due > loop.time() or number % MOST_SENT == 0:
            await asyncio.sleep(max(0.0, due - loop.time()))
        await ask.send("/v1/recommend", body(number) if callable(body) else body, partial(answered, due))
    await over.wait()
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
