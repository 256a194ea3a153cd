"""Services that a measurement starts, looks at, kills parts of, and ends."""

import http.client
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

START_SECONDS = 180.0
ROOT = Path(__file__).parents[2]


class Service:
    """A service as a process of its own.

    Args:
        words: Of the command line behind `intertask serve`.
        log: Where its words go.
        database: The address of a PostgreSQL; SQLite where it is None.
    """

    def __init__(self, words: list[str], log: Path, database: str | None = None) -> None:
        began = time.monotonic()
        environment = os.environ | ({} if database is None else {"INTERTASK_DATABASE": database})
        command = [sys.executable, "-m", "intertask", "serve", *words, "--port", "0", "--new-key"]
        with log.open("ab") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment)
        told = self._told(began + START_SECONDS)
        self.address, self.key = told["address"], told["key"]
        self.start_seconds = time.monotonic() - began

    def _told(self, end: float) -> dict[str, str]:
        """What it says of itself when it is ready."""
        assert self.process.stdout is not None
        found: dict[str, str] = {}
        buffer = b""
        while time.monotonic() < end and "key" not in found and self.process.poll() is None:
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                buffer += os.read(self.process.stdout.fileno(), 4096)
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                name, _, words = line.decode().partition(": ")
                found[name] = words.strip()
        if "key" not in found:
            self.end()
            raise RuntimeError(f"the service did not start: {found}")
        return found

    def ask(self, method: str, path: str, body: object = None, seconds: float = 30.0) -> tuple[int, object]:
        """Status and answer of a request; 0 where nobody answers."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.address + path, content, {"Authorization": f"Bearer {self.key}"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, {"detail": error.read().decode(errors="replace")[:300]}
        except (OSError, ValueError, http.client.HTTPException):  # the last where it dies while it answers
            return 0, None

    def table(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """The answer of a request that must succeed."""
        status, found = self.ask(method, path, body, 600.0)
        assert status == 200, (path, status, found)
        return cast("dict[str, object]", found)

    def done(self, job: object, seconds: float = 900.0) -> dict[str, object]:
        """A job once it has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status, found = self.ask("GET", f"/v1/jobs?job={job}")
            if status == 200 and isinstance(found, dict) and found["state"] in ("done", "failed", "stopped"):
                return found
            time.sleep(0.1)
        raise TimeoutError(f"job {job}")

    def children(self, module: str) -> list[int]:
        """The processes of a module: store, worker or runner."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if parent == self.process.pid and f"intertask.service.{module}".encode() in words:
                found.append(int(entry.name))
        return sorted(found)

    def kill(self, module: str) -> None:
        """Kill the first process of a module, without a word."""
        for child in self.children(module)[:1]:
            os.kill(child, signal.SIGKILL)

    def megabytes(self, module: str) -> list[int]:
        """Resident memory of the processes of a module."""
        found = []
        for child in self.children(module):
            try:
                lines = Path(f"/proc/{child}/status").read_text().splitlines()
            except OSError:  # it has just ended
                continue
            for line in lines:
                if line.startswith("VmRSS:"):
                    found.append(int(line.split()[1]) >> 10)
        return found

    def end(self) -> None:
        """End it, as a terminal would."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextmanager
def started(words: list[str], log: Path, database: str | None = None) -> Iterator[Service]:
    """A service for as long as the block runs."""
    service = Service(words, log, database)
    try:
        yield service
    finally:
        service.end()


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL without tables, where it is installed. It does not sync: no kill is its."""
    sys.path.insert(0, str(ROOT))
    postgres = importlib.import_module("tests.service.postgres")
    with postgres.server() as address:
        yield address
