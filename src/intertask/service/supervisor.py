"""Starts and watches the processes of a service: the one that writes, those that answer. Imports no torch.

What dies is started again. On SIGTERM those that answer finish what is under way, then so does the writer.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from intertask.errors import IntertaskError, RequestError
from intertask.service import process, versions
from intertask.service.access import Access
from intertask.service.opening import opened
from intertask.service.schema import migrate
from intertask.service.settings import LOOPBACK, Place, Settings
from intertask.service.tenants import AddTenant, keys, new_key, tenants
from intertask.storage.files import strange, unwritable
from intertask.storage.locks import Lock, take

LOCK = "service.lock"
FIRST_TENANT = "default"
START_SECONDS = 120.0
END_SECONDS = 15.0
WAIT_SECONDS = 0.2  # before what died is started again; twice as long each time it dies at once
MOST_WAIT_SECONDS = 2.0
LIVED_SECONDS = 0.5  # what lived that long was ended from outside, and is not made to wait
LONGEST_SOCKET = 100  # bytes of a path to a Unix socket, which has 107

# Large pages: a request reads the vectors of all items, and the scores of 100,000 take two thirds of the time
# with them. Whoever has set it otherwise has a reason.
_LARGE_PAGES = {"THP_MEM_ALLOC_ENABLE": "1"}

Say = Callable[[str], None]


def serve(folder: Path, settings: Settings, source: Path | None, say: Say, *, new: bool = False) -> None:
    """Serve until a signal says that it is enough.

    Args:
        folder: Where the service keeps everything; made where it is missing.
        settings: Its settings.
        source: A run, or a model's folder, that is brought in and published.
        say: Prints a line.
        new: Whether one more key is made.

    Raises:
        IntertaskError: It cannot start.
    """
    with contextlib.ExitStack() as stack:
        lock = _claimed(folder)
        stack.callback(lock.release)
        path = folder / "store.socket"
        if len(os.fsencode(path.absolute())) > LONGEST_SOCKET:
            beside = stack.enter_context(tempfile.TemporaryDirectory(prefix="intertask-"))
            path = Path(beside) / "store.socket"
        place = Place(folder=folder.absolute(), settings=settings, socket=path.absolute())
        asyncio.run(_Supervisor(place, source, say, new).run())


def _claimed(folder: Path) -> Lock:
    """The folder, for this service alone: an empty one, or that of a service."""
    wrong = strange(folder, "folder")
    if wrong or (folder.exists() and not (folder / LOCK).exists() and any(folder.iterdir())):
        inside = next(iter(sorted(folder.glob(f"*/service/{LOCK}"))), None)  # of a demo
        other = "name another one: --data FOLDER" if inside is None else f"name --data {inside.parent}"
        raise IntertaskError(
            str(folder),
            "a new folder, or that of a service",
            wrong or "a folder of something else",
            f"{other}; nothing was changed",
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = take(folder / LOCK, "serve")
    except FileExistsError as error:
        raise IntertaskError(
            str(folder / LOCK), "the lock of a service", "a file of something else", "choose another folder"
        ) from error
    except OSError as error:
        raise unwritable(folder, error) from error
    if lock is None:
        raise IntertaskError(
            str(folder), "a folder that no other service works in", "one that does", "stop it, or use --data"
        )
    return lock


class _Supervisor:
    def __init__(self, place: Place, source: Path | None, say: Say, new: bool) -> None:
        self.place, self.source, self.say, self.new = place, source, say, new
        self.ended = asyncio.Event()
        self._numbers = place.folder / "metrics"
        self.children: dict[str, asyncio.subprocess.Process] = {}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ended.set)
        listening = self._bound()
        shutil.rmtree(self._numbers, ignore_errors=True)  # counters begin at nothing, as Prometheus expects
        self._numbers.mkdir(mode=0o700)
        watching: list[asyncio.Task[None]] = []
        try:
            if self.place.settings.embedded:
                await self._start("store")
            else:
                await asyncio.to_thread(self._migrated)
            key = await self._key()
            names = [f"worker-{number}" for number in range(self.place.settings.workers)]
            starting = [self._start(name, listening) for name in (*names, "runner")]
            if self.source is not None:
                starting.append(self._seed(self.source))
            await self._together(starting)
            watching = [asyncio.create_task(self._watch(name, listening)) for name in list(self.children)]
            if not self.ended.is_set():
                self._greet(listening, key)
            await self.ended.wait()
        finally:
            for task in watching:
                task.cancel()
            await self._end()
            listening.close()

    def _bound(self) -> socket.socket:
        settings = self.place.settings
        try:
            found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
            listening = socket.socket(found[0], socket.SOCK_STREAM)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(found[4])
            listening.listen(1024)
            listening.set_inheritable(True)
        except OSError as error:
            raise RequestError(
                f"{settings.host}:{settings.port}",
                "an address that is free",
                error.strerror or str(error),
                "choose another --port, or 0 for one that is free",
            ) from error
        return listening

    def _migrated(self) -> None:
        connection = opened(self.place.settings.database, self.place.folder).writing()
        migrate(connection)
        connection.close()

    async def _key(self) -> str | None:
        """A key: of a new service, or one more where it was asked for."""
        access = Access(opened(self.place.settings.database, self.place.folder), self.place.line)
        access.start()
        try:
            known = await access.read(tenants)
            tenant = known.get(FIRST_TENANT)
            if tenant is None:
                tenant = (await access.write(AddTenant(name=FIRST_TENANT))).tenant
            have = await access.read(keys, tenant)
            if have and not self.new:
                return None
            key, command = new_key(tenant, "admin", "intertask serve")
            await access.write(command)
            return key
        finally:
            await access.close()

    async def _together(self, starting: list[Coroutine[None, None, None]]) -> None:
        """Wait for all that is being started, the first model among it, or for a signal that ends it."""

        async def all_of_them() -> None:
            async with asyncio.TaskGroup() as group:
                for one in starting:
                    group.create_task(one)
            await self._loaded()

        task, ended = asyncio.create_task(all_of_them()), asyncio.create_task(self.ended.wait())
        try:
            await asyncio.wait([task, ended], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            for one in (task, ended):
                one.cancel()
            await asyncio.gather(task, ended, return_exceptions=True)

    async def _loaded(self) -> None:
        """Wait until every process that answers has every model that is named."""
        access = Access(opened(self.place.settings.database, self.place.folder), self.place.line)
        access.start()
        try:
            end = asyncio.get_running_loop().time() + START_SECONDS
            for digest in await access.read(versions.wanted):
                while asyncio.get_running_loop().time() < end:
                    ready, living, refused = await access.read(versions.readiness, digest)
                    for reason in refused[:1]:
                        self.say(f"error: {reason}")
                    if refused or (ready == living and living >= self.place.settings.workers):
                        break
                    await asyncio.sleep(0.05)
        finally:
            await access.close()

    async def _seed(self, source: Path) -> None:
        child = await self._spawned("seed", str(source.absolute()))
        assert child.stdout is not None
        await child.stdout.read()
        if await child.wait():
            raise IntertaskError(
                str(source), "a model that can be served", "one that cannot, see above", "nothing is served"
            )

    async def _start(self, name: str, listening: socket.socket | None = None) -> None:
        """Start a process, and wait until it is ready.

        Raises:
            IntertaskError: It ended instead.
        """
        worker = name not in ("store", "runner")
        arguments = [] if listening is None or not worker else [str(listening.fileno())]
        keep = () if listening is None or not worker else (listening.fileno(),)
        child = await self._spawned("worker" if worker else name, *arguments, keep=keep)
        self.children[name] = child
        assert child.stdout is not None
        try:
            line = await asyncio.wait_for(child.stdout.readline(), START_SECONDS)
        except TimeoutError:
            line = b""
        if line.strip() != process.READY.encode():
            raise IntertaskError(name, "a process that starts", "its end, see above", "nothing is served")

    async def _spawned(
        self, module: str, *arguments: str, keep: tuple[int, ...] = ()
    ) -> asyncio.subprocess.Process:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"intertask.service.{module}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=keep,
            env=_LARGE_PAGES
            | os.environ
            | {"OMP_NUM_THREADS": "1", "PROMETHEUS_MULTIPROC_DIR": str(self._numbers)},
            # A signal of the terminal reaches this process alone, which ends the others in their order.
            start_new_session=True,
        )
        assert child.stdin is not None
        child.stdin.write(self.place.model_dump_json().encode() + b"\n")
        with contextlib.suppress(ConnectionError):
            await child.stdin.drain()
        return child

    async def _watch(self, name: str, listening: socket.socket) -> None:
        """Start a process again whenever it dies."""
        wait = WAIT_SECONDS
        while True:
            began = time.monotonic()
            code = await self.children[name].wait()
            if self.ended.is_set():
                return
            self.say(f"{name} has ended with {code}: started again")
            if time.monotonic() - began > LIVED_SECONDS:
                wait = WAIT_SECONDS
            while True:
                await asyncio.sleep(wait)
                wait = min(wait * 2, MOST_WAIT_SECONDS)
                try:
                    await self._start(name, listening)
                except IntertaskError as error:
                    self.say(f"error: {error}")
                else:
                    break

    def _greet(self, listening: socket.socket, key: str | None) -> None:
        host, port = listening.getsockname()[:2]
        address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self.say(f"address: {address}")
        if key is None:
            self.say("key: the one that was printed at the first start; --new-key makes another")
        else:
            self.say(f"page: {address}/#key={key}")
            self.say(f"key: {key}")
        if self.place.settings.host not in LOOPBACK:
            self.say(
                "note: reachable from other machines, without encryption: put a proxy with TLS before it"
            )

    async def _end(self) -> None:
        """End those that answer, then the one that writes."""
        for last in (False, True):
            those = [child for name, child in self.children.items() if (name == "store") == last]
            for child in those:
                if child.returncode is None:
                    child.terminate()
            for child in those:
                try:
                    await asyncio.wait_for(child.wait(), END_SECONDS)
                except TimeoutError:
                    child.kill()
                    await child.wait()
