"""A lock on a file that says which process works on a place, and is gone when that process is.

The system holds the lock, so that one of a process that was killed never blocks. Where a file system knows
no locks the process that the file names decides.
"""

import errno
import json
import os
import socket
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

_RECORD = 256  # bytes; written over in one step, so that a kill never leaves half a record
_MARK = b'{"intertask": "lock"'
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP}
_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Args:
        pid: The process; None where the lock is free.
        host: Its machine.
        work: What it does.
    """

    pid: int | None = None
    host: str = ""
    work: str = ""

    def __str__(self) -> str:
        if self.pid is None:
            return "another process"
        return f"process {self.pid} on {self.host}, which does: {self.work}"


class Lock:
    """A lock that this process has until it is released; made by `take`."""

    def __init__(self, file: Path, handle: int, *, made: bool) -> None:
        self.file, self.made = file, made
        self._handle: int | None = handle

    def release(self, *, forget: bool = True) -> None:
        """Let it go; the file stays, and keeps who had it where that is not to be forgotten."""
        try:
            if forget and self._handle is not None:
                _write(self._handle, Holder())
        finally:
            self._close()

    def delete(self) -> None:
        """Delete the file and let it go, so that whoever waits for it finds it gone."""
        try:
            self.file.unlink(missing_ok=True)
        finally:
            self._close()

    def _close(self) -> None:
        """Once: by the second time the number may be that of another thread's file, or of its lock."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def take(file: Path, work: str | None) -> Lock | None:
    """The lock of a file; None where another process, or another thread of this one, has it.

    Args:
        file: Made where it is missing.
        work: What the lock is for, for those who find it taken; None takes what is there, as it is.

    Raises:
        FileExistsError: Something else stands there.
        OSError: The place cannot be used.
    """
    while True:
        handle, made = _opened(file, make=work is not None)
        try:
            holder = _record(handle, file)
            if not _locked(handle, holder):
                os.close(handle)
                return None
            if _still_there(handle, file):  # or the one who had it deleted it before we came
                if work is not None:
                    _write(handle, Holder(os.getpid(), socket.gethostname(), work))
                return Lock(file, handle, made=made)
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def holder(file: Path) -> Holder:
    """Who wrote last that it has the lock of a file; nobody where there is no such file.

    Raises:
        FileExistsError: Something else stands there.
        OSError: It cannot be read.
    """
    try:
        handle = os.open(file, _FLAGS & ~os.O_RDWR)
    except FileNotFoundError:
        return Holder()
    try:
        return _record(handle, file)
    finally:
        os.close(handle)


def _opened(file: Path, *, make: bool) -> tuple[int, bool]:
    while make:
        try:
            return os.open(file, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666), True
        except FileExistsError:
            try:
                return os.open(file, _FLAGS), False
            except FileNotFoundError:
                continue
    return os.open(file, _FLAGS), False


def _record(handle: int, file: Path) -> Holder:
    foreign = FileExistsError(errno.EEXIST, "a file of something else", str(file))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise foreign
    text = os.pread(handle, 1 << 14, 0)
    if not text:  # made, and not yet written
        return Holder()
    if not text.startswith(_MARK):
        raise foreign
    try:
        found = json.loads(text)
        return Holder(found["pid"], str(found["host"]), str(found["work"]))
    except (ValueError, KeyError, TypeError):
        raise foreign from None


def _write(handle: int, holder: Holder) -> None:
    record = {"intertask": "lock", "pid": holder.pid, "host": holder.host, "work": holder.work}
    text = json.dumps(record).encode() + b"\n"
    size = max(_RECORD, os.fstat(handle).st_size)
    os.pwrite(handle, text[:-1].ljust(size - 1) + b"\n", 0)


def _locked(handle: int, holder: Holder) -> bool:
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        else:
            return True
    return holder.pid is None or (holder.host == socket.gethostname() and not _alive(holder.pid))


def _alive(pid: int) -> bool:
    if sys.platform == "win32":  # where asking would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _still_there(handle: int, file: Path) -> bool:
    try:
        there = file.lstat()
    except FileNotFoundError:
        return False
    own = os.fstat(handle)
    return (own.st_dev, own.st_ino) == (there.st_dev, there.st_ino)
