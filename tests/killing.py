"""A child that dies before its n-th operation on a file, or after a time; what it leaves, for comparison."""

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from intertask import artefact
from intertask.artefact import log
from intertask.train import checkpoint

EVENTS = {
    "open",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "os.chmod",
    "shutil.rmtree",
    "fcntl.flock",
    "tests.sync",
    "tests.half",
    "tests.whole",
}
SECONDS = 120  # after which a child hangs


class Killer:
    """An audit hook that kills this process before the n-th operation below a folder."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number, self.count = str(folder), number, 0
        self.files: dict[int, str] = {}

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in EVENTS or not self._below(event, arguments):
            return
        self.count += 1
        if self.count == self.number:
            if event == "tests.half":
                os.truncate(arguments[0], Path(arguments[0]).stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    def _below(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event in ("fcntl.flock", "tests.sync"):
            return True
        if event == "open" and isinstance(arguments[2], int) and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return False  # reading changes nothing
        # A folder that is deleted is deleted by names within it.
        relative = not Path(str(arguments[0])).is_absolute()
        return (relative and event != "open") or self.folder in str(arguments[0])


def audited(write: Callable[..., Any], place: int) -> Callable[..., Any]:
    """A library's own writing of a file, with moments at which half of it is there, and all of it."""

    def writing(*arguments: Any, **named: Any) -> Any:
        result = write(*arguments, **named)
        sys.audit("tests.half", str(arguments[place]))
        sys.audit("tests.whole", str(arguments[place]))
        return result

    return writing


def watch_libraries() -> None:
    """Have what writes without Python's knowledge tell of it."""
    import polars as pl

    artefact.save_file = audited(artefact.save_file, 1)
    log.save_file = audited(log.save_file, 1)
    checkpoint.save_file = audited(checkpoint.save_file, 1)
    pl.DataFrame.write_parquet = audited(pl.DataFrame.write_parquet, 1)  # type: ignore[method-assign]
    usual = os.fsync

    def sync(handle: int) -> None:
        sys.audit("tests.sync", handle)
        usual(handle)

    os.fsync = sync


def child(work: Callable[[], None], killer: Killer | None = None, seconds: float | None = None) -> int | None:
    """Do some work in a fork: its return code, -9 if it was killed; None if it hung."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            if killer is not None:
                watch_libraries()
                sys.addaudithook(killer)
            work()
            if killer is not None and killer.number == 0:
                (Path(killer.folder).parent / "count").write_text(str(killer.count))
            sys.stderr.flush()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    began = time.monotonic()
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        passed = time.monotonic() - began
        if (seconds is not None and passed > seconds) or passed > SECONDS:
            os.kill(pid, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return code if passed <= SECONDS else None
        time.sleep(0.001)


def state(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, by name; of files that tell the time, what else they tell."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = b"" if path.is_dir() else path.read_bytes()
        if path.name == "journal.jsonl":
            found[name] = b"\n".join(_lines(found[name]))
        if path.name == "evaluation.json":
            told = json.loads(found[name])
            found[name] = json.dumps(told | {"seconds": {}, "provenance": {}}).encode()
    return found


def _lines(text: bytes) -> list[bytes]:
    """The lines of a journal without times; how often a run was started is no part of it."""
    told = [json.loads(line) for line in text.splitlines()]
    for line in told:
        line.pop("seconds", None)
    return [json.dumps(line).encode() for line in told if line["event"] not in ("start", "resume")]
