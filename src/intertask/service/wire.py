"""Commands between processes of one machine: four bytes with the length, then JSON, over a Unix socket.

Requests carry a number, so that many are under way on one connection; answers come in any order. Whoever may
open the socket may write: its folder belongs to the user of the service alone.
"""

import asyncio
import json
from pathlib import Path

from pydantic import TypeAdapter

from intertask.errors import IntertaskError
from intertask.service.commands import COMMANDS, AnyCommand
from intertask.service.messages import Message
from intertask.service.refusals import KINDS, RefusedError, UnavailableError
from intertask.service.writer import Writer

LONGEST = 256 << 20  # bytes of a message
RECONNECT_SECONDS = 3.0
_HEAD = 4


async def serve(path: Path, writer: Writer) -> asyncio.AbstractServer:
    """Listen on a socket, and have the writer run what comes."""

    async def answer(reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                number, command = _read_command(await _message(reader))

                def told(found: Message | IntertaskError, number: int = number) -> None:
                    loop.call_soon_threadsafe(_send, out, _answer_bytes(number, found))

                try:
                    writer.give(command, told)
                except RefusedError as error:
                    _send(out, _answer_bytes(number, error))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            out.close()

    return await asyncio.start_unix_server(answer, path)


class Line:
    """A connection to the process that writes; made again when that process is.

    Args:
        path: Of the socket.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._under_way: dict[int, asyncio.Future[bytes]] = {}
        self._number = 0
        self._out: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    async def ask(self, command: AnyCommand) -> Message:
        """What a command answers.

        Raises:
            RefusedError: It refuses.
            UnavailableError: The process that writes has gone; whether the command ran is unknown.
        """
        out = await self._connected()
        self._number += 1
        number = self._number
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._under_way[number] = future
        try:
            _send(out, number.to_bytes(8, "big") + command.model_dump_json().encode())
            return _read_answer(await future, command.answers)
        finally:
            self._under_way.pop(number, None)

    async def close(self) -> None:
        """Hang up."""
        if self._listening is not None:
            self._listening.cancel()
        if self._out is not None:
            self._out.close()

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._out is not None and not self._out.is_closing():
                return self._out
            loop = asyncio.get_running_loop()
            end = loop.time() + RECONNECT_SECONDS
            while True:
                try:
                    reader, self._out = await asyncio.open_unix_connection(self._path)
                except OSError as error:
                    if loop.time() > end:
                        raise UnavailableError(
                            "database", "the process that writes it", "none", "try again later"
                        ) from error
                    await asyncio.sleep(0.05)
                else:
                    self._listening = asyncio.create_task(self._listen(reader, self._out))
                    return self._out

    async def _listen(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        try:
            while True:
                content = await _message(reader)
                future = self._under_way.get(int.from_bytes(content[:8], "big"))
                if future is not None and not future.done():
                    future.set_result(content[8:])
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            out.close()
            for future in self._under_way.values():
                if not future.done():
                    future.set_exception(
                        UnavailableError(
                            "database", "the process that writes it", "its end", "send the same request again"
                        )
                    )


async def _message(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(_HEAD), "big")
    if length > LONGEST:
        raise ConnectionError(f"a message of {length:,} bytes")
    return await reader.readexactly(length)


def _send(out: asyncio.StreamWriter, content: bytes) -> None:
    if not out.is_closing():
        out.write(len(content).to_bytes(_HEAD, "big") + content)


def _read_command(content: bytes) -> tuple[int, AnyCommand]:
    return int.from_bytes(content[:8], "big"), COMMANDS.validate_json(content[8:])


def _answer_bytes(number: int, found: Message | IntertaskError) -> bytes:
    head = number.to_bytes(8, "big")
    if isinstance(found, Message):
        return head + b"+" + found.model_dump_json().encode()
    kind = type(found).__name__ if type(found).__name__ in KINDS else RefusedError.__name__
    return head + b"-" + json.dumps([kind, found.where, found.expected, found.found, found.hint]).encode()


_PARTS = TypeAdapter(tuple[str, str, str, str, str])


def _read_answer(content: bytes, kind: type[Message]) -> Message:
    if content[:1] == b"+":
        return kind.model_validate_json(content[1:])
    name, where, expected, found, hint = _PARTS.validate_json(content[1:])
    raise KINDS.get(name, RefusedError)(where, expected, found, hint)
