"""Too many requests are refused as soon as their head is read, by the protocol of the connection itself.

A task, a scope and a response for each refusal cost as much again as all else of it; with three times as many
requests as can be answered that is what is missing for answering. `Shedding` refuses the others.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from intertask.service import metrics
from intertask.service.refusals import BusyError
from intertask.service.running import Running
from intertask.service.shedding import ASKING, MANY_WAIT

_PATHS = {path.encode(): f"POST {path}" for path in ASKING}


class _Refused:
    """Stands where the protocol keeps the request that is being answered: this one is answered already."""

    response_complete = True

    def __init__(self) -> None:
        self.message_event = asyncio.Event()


class Refusing(HttpToolsProtocol):
    """HTTP of a connection, with an answer of its own for what is too much."""

    def on_headers_complete(self) -> None:
        """Refuse the request whose head has come, or hand it on."""
        route = _PATHS.get(self.url)
        if route is None or self.parser.get_method() != b"POST" or not (self._is_free() and self._full()):
            super().on_headers_complete()
            return
        metrics.request(route, BusyError.status).inc()
        cycle: Any = _Refused()
        self.cycle = cycle
        self.transport.write(MANY_WAIT.written(self.server_state.default_headers))

    def on_message_complete(self) -> None:
        """The end of a request: of one that was refused the connection may be used again, or is closed."""
        super().on_message_complete()
        if isinstance(self.cycle, _Refused):
            if not self.parser.should_keep_alive():
                self.transport.close()
            self.on_response_complete()

    def _is_free(self) -> bool:
        """Whether nothing is before it: a pipelined request waits for its turn, and so does a slow reader."""
        return not self.flow.write_paused and (self.cycle is None or self.cycle.response_complete)

    def _full(self) -> bool:
        """Whether it is too much; a web page of another address needs more headers to read that."""
        running: Running | None = self.app_state.get("running")
        return running is not None and running.engine.full and not running.place.settings.origins
