"""How a process that answers reaches the store: it reads by its own connections, and writes by commands."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

from intertask.errors import IntertaskError
from intertask.service import schema
from intertask.service.commands import AnyCommand
from intertask.service.database import Database, Reading
from intertask.service.messages import Command, Message
from intertask.service.wire import Line
from intertask.service.writer import Writer

READERS = 4  # threads

Answer = TypeVar("Answer", bound=Message)
Found = TypeVar("Found")
Arguments = ParamSpec("Arguments")


class Access:
    """The store, for a process with an event loop.

    Args:
        database: Which is read.
        line: To the process that writes; None where this process writes itself.
    """

    def __init__(self, database: Database, line: Path | None) -> None:
        self._database = database
        self._line = None if line is None else Line(line)
        self._writer = Writer(database) if line is None else None
        self._own = threading.local()
        self._connections: list[Reading] = []
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    def start(self) -> None:
        """Connect.

        Raises:
            IntertaskError: The database cannot be used.
        """
        if self._writer is not None:
            self._writer.start()
        schema.check(self.here())

    def here(self) -> Reading:
        """The reading connection of the thread that asks."""
        found = cast("Reading | None", getattr(self._own, "connection", None))
        if found is None:
            found = self._own.connection = self._database.reading()
            self._connections.append(found)
        return found

    async def read(
        self,
        query: Callable[Concatenate[Reading, Arguments], Found],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Found:
        """What a query finds, in one snapshot that begins now."""

        def work() -> Found:
            store = self.here()
            with store.snapshot():
                return query(store, *arguments, **named)

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def write(self, command: Command[Answer]) -> Answer:
        """What a command answers, once it is on disk.

        Raises:
            RefusedError: It refuses, and has changed nothing.
            UnavailableError: The database cannot be written to.
        """
        sent = cast("AnyCommand", command)
        if self._line is not None:
            return cast("Answer", await self._line.ask(sent))
        assert self._writer is not None
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Message] = loop.create_future()

        def settle(found: Message | IntertaskError) -> None:
            if future.done():  # whoever asked has gone
                return
            if isinstance(found, Message):
                future.set_result(found)
            else:
                future.set_exception(found)

        self._writer.give(sent, lambda found: loop.call_soon_threadsafe(settle, found))  # type: ignore[arg-type]
        return cast("Answer", await future)

    async def close(self) -> None:
        """Finish what is under way, and let the connections go."""
        if self._line is not None:
            await self._line.close()
        if self._writer is not None:
            await asyncio.to_thread(self._writer.stop)
        self._threads.shutdown()
        for connection in self._connections:
            connection.close()
