"""Too many requests are refused before anything is done for them, so that those under way are answered.

A refusal that reads the body, looks up the key and finds a route costs a fifth of a list: with three times as
many requests as a machine can answer, refusing would take what is needed for answering.
"""

import secrets
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from intertask.service import metrics
from intertask.service.engine import too_many
from intertask.service.problems import problem
from intertask.service.refusals import BusyError
from intertask.service.routes import ROUTES
from intertask.service.running import Running

MOST_UNDER_WAY = 800  # requests of a process
_KNOWN = {(route.method, route.path) for route in ROUTES}  # made-up paths are not numbers of their own
ASKING = ("/v1/recommend", "/v1/recommend/next", "/v1/rerank")  # what waits for the model
_NAME = "0" * 16  # where the id of a request stands


class Refusal:
    """A refusal that is written once, except for the id of the request.

    Args:
        why: What is said.
    """

    def __init__(self, why: BusyError) -> None:
        written = problem(why, _NAME)
        self.before, self.behind = bytes(written.body).split(_NAME.encode())
        self.headers = [(name, value) for name, value in written.raw_headers if name != b"x-request-id"]
        lines = (b"%b: %b\r\n" % header for header in self.headers)
        self.head = b"HTTP/1.1 %d Too Many Requests\r\n" % BusyError.status + b"".join(lines)

    def written(self, further: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The whole answer, as it goes over a connection, with further headers."""
        name = secrets.token_hex(len(_NAME) // 2).encode()
        lines = b"".join(b"%b: %b\r\n" % header for header in (*further, (b"x-request-id", name)))
        return b"".join((self.head, lines, b"\r\n", self.before, name, self.behind))

    async def __call__(self, send: Send) -> None:
        """Send it."""
        name = secrets.token_hex(len(_NAME) // 2).encode()
        headers = [*self.headers, (b"x-request-id", name)]
        await send({"type": "http.response.start", "status": BusyError.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"".join((self.before, name, self.behind))})


MANY_WAIT = Refusal(too_many())
_MANY_UNDER_WAY = Refusal(
    BusyError("requests", f"at most {MOST_UNDER_WAY} at once", "more", "try again in a second")
)


class Shedding:
    """Refuses what is too much, and hands on the rest.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or hand it on."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self.app(scope, receive, send)
            return
        asked = (scope["method"], scope["path"])
        metrics.request(" ".join(asked) if asked in _KNOWN else "another", BusyError.status).inc()
        await refusal(send)

    @staticmethod
    def _refusal(scope: Scope) -> Refusal | None:
        if not scope["path"].startswith("/v1/"):  # health and metrics are asked for just then
            return None
        running: Running = scope["app"].state.running
        if scope["path"] in ASKING and running.engine.full:
            return MANY_WAIT
        return _MANY_UNDER_WAY if running.under_way >= MOST_UNDER_WAY else None
