"""Writing so that nothing half-written is ever left behind, and reading back with a checksum.

Files and folders are made beside their place, in a folder of `scratch`, and put into it when they are
complete, in one step where the system can: also a process that is killed leaves the old or the new.
"""

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, TypeVar

from intertask.errors import IntertaskError, WriteError
from intertask.storage.exchange import exchange
from intertask.storage.scratch import being_replaced, scratch, tidy

_OS_ERROR = "(os error"  # how Rust ends the message of an error that comes from the system
_TRIES = 100
_OTHERS_WERE_FASTER = {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST}
_SECONDS = 5.0  # that the moment between two renamings may take

Read = TypeVar("Read")
# Raises an IntertaskError where the folder that is given first must not be replaced; errors name the second.
Refuse = Callable[[Path, Path], None]


@dataclass(frozen=True)
class Contents:
    """What a folder of ours holds, so that no other one is ever replaced.

    Args:
        what: The folder in words.
        needed: Patterns of files, as `sequences/*.npy`; each has to be there.
        further: Patterns of files that may be there.
    """

    what: str
    needed: tuple[str, ...]
    further: tuple[str, ...] = ()

    def refuse(self, folder: Path, place: Path | None = None) -> None:
        """Refuse to replace a folder that is not one of these alone; it need not exist.

        Args:
            folder: Is looked at.
            place: What errors call it.

        Raises:
            IntertaskError: Names the first thing that is foreign or missing.
        """
        found = self.foreign(folder)
        if found:
            raise IntertaskError(
                str(place or folder),
                f"an empty place, or {self.what}" if self.what else "an empty place",
                found,
                "choose another place; nothing was changed",
            )

    def foreign(self, folder: Path) -> str:
        """What in a folder is not of this kind, in words; nothing where it may be replaced."""
        wrong = strange(folder, "folder")
        if wrong or not folder.exists():
            return wrong
        files = []
        for path, folders, names in os.walk(folder):
            for name in sorted(folders + names):
                entry = Path(path) / name
                parts, mode = entry.relative_to(folder).parts, entry.lstat().st_mode
                if stat.S_ISREG(mode) and self._holds(parts):
                    files.append(parts)
                elif not stat.S_ISDIR(mode) or not self._leads_to(parts):
                    return repr("/".join(parts))
        missing = [pattern for pattern in self.needed if not any(_match(own, pattern) for own in files)]
        return f"a folder without {missing[0]}" if missing and any(folder.iterdir()) else ""

    def _holds(self, parts: tuple[str, ...]) -> bool:
        return any(_match(parts, pattern) for pattern in (*self.needed, *self.further))

    def _leads_to(self, parts: tuple[str, ...]) -> bool:
        longer = (pattern.split("/") for pattern in (*self.needed, *self.further))
        return any(
            len(names) > len(parts) and _match(parts, "/".join(names[: len(parts)])) for names in longer
        )


_EMPTY = Contents("", ())


def _match(parts: tuple[str, ...], pattern: str) -> bool:
    names = pattern.split("/")
    return len(names) == len(parts) and all(map(fnmatchcase, parts, names))


def strange(place: Path, wanted: Literal["file", "folder"]) -> str:
    """What stands at a place where we would write a file or a folder, in words, where it is neither ours nor
    nothing: a link, which may lead anywhere, a device, or the other of the two.
    """
    try:
        mode = os.lstat(place).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    if stat.S_ISDIR(mode):
        return "" if wanted == "folder" else "a folder"
    if stat.S_ISREG(mode):
        return "" if wanted == "file" else "a file"
    return "a device, a pipe or a socket"


@contextmanager
def written_aside(path: Path, refuse: Refuse | None = None) -> Iterator[Path]:
    """A temporary path that replaces `path` when the block ends well, and vanishes when it does not.

    Works for files and for folders: whatever the block makes at the temporary path is moved. Nothing is ever
    seen at `path` but the old or the new, whole.

    Args:
        path: A file or a folder, or neither yet.
        refuse: Which folders may not be replaced; None replaces a file, or an empty folder. It is asked
            before the block, and again of what was replaced before that is deleted.

    Raises:
        IntertaskError: The place cannot be written to, the disk is full, or something else stands there.
    """
    path = _named(Path(path))
    may_be_file, refuse = refuse is None, refuse or _EMPTY.refuse
    try:
        if not may_be_file or path.is_dir():
            read_whole(path, lambda: refuse(path, path))
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch(path) as aside:
            new = aside / "new" / path.name
            with _naming(path, aside):
                yield new
            if new.is_dir():
                _put_folder(new, path, aside / "old", refuse)
            else:
                _put_file(new, path)
    except OSError as error:
        raise unwritable(path, error) from error


@contextmanager
def _naming(path: Path, aside: Path) -> Iterator[None]:
    """Errors of a block name the place that the user knows, not the temporary one beside it."""
    try:
        yield
    except IntertaskError as error:
        if not error.where.startswith(str(aside)):
            raise
        # A part of a folder that is written aside itself: the user knows the folder alone.
        raise type(error)(str(path), error.expected, error.found, error.hint) from error
    except OSError:
        raise
    except Exception as error:
        # What writes safetensors and Parquet has errors of its own for a full disk.
        if _OS_ERROR not in str(error):
            raise
        raise unwritable(path, error) from error


def _named(path: Path) -> Path:
    """A path whose last part is a name: `.` cannot be renamed."""
    refuse_unnamable(path)
    if path.name not in ("", ".."):
        return path
    whole = path.resolve()
    if whole == Path.cwd() or not whole.name:
        raise IntertaskError(
            str(path),
            "a folder that can be replaced",
            "the working folder" if whole.name else "the root",
            "name a folder in it; nothing was changed",
        )
    return whole


def refuse_unnamable(path: Path) -> None:
    """Refuse a path that the libraries for Parquet and safetensors cannot open.

    Raises:
        IntertaskError: It holds a zero byte, or bytes that are no UTF-8.
    """
    name = str(path)
    if "\0" in name or (not name.isascii() and name.encode(errors="replace").decode() != name):
        raise IntertaskError(
            ascii(name), "a path in UTF-8", "other bytes in it", "choose another name; nothing was changed"
        )


def _put_file(new: Path, path: Path) -> None:
    _sync(new)
    wrong = strange(path, "file")
    if wrong:
        raise IntertaskError(
            str(path), "a file, or nothing yet", wrong, "choose another place; nothing was changed"
        )
    new.replace(path)
    _sync(path.parent)


def _put_folder(new: Path, path: Path, old: Path, refuse: Refuse) -> None:
    for parent, _, names in os.walk(new):
        for name in names:
            _sync(Path(parent) / name)
        _sync(Path(parent))
    _sync(new.parent)  # from where it is taken if this process is killed between two renamings
    for _ in range(_TRIES):  # another process may put something there at the same time
        try:
            if not os.path.lexists(path):
                new.rename(path)
            elif exchange(new, path):
                _refuse_replaced(new, path, refuse)
            else:
                path.rename(old)
                _rename_or_restore(new, path, old, refuse)
            break
        except OSError as error:
            if error.errno not in _OTHERS_WERE_FASTER:
                raise
    else:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))
    _sync(path.parent)


def _refuse_replaced(replaced: Path, path: Path, refuse: Refuse) -> None:
    """What stood at a place may have changed since it was looked at: then it goes back there."""
    try:
        refuse(replaced, path)
    except IntertaskError:
        exchange(replaced, path)
        raise


def _rename_or_restore(new: Path, path: Path, old: Path, refuse: Refuse) -> None:
    try:
        refuse(old, path)
    except IntertaskError:
        taken = os.path.lexists(path)
        old.rename(path.with_name(f"{path.name}.{secrets.token_hex(4)}") if taken else path)
        raise
    try:
        new.rename(path)
    except OSError:
        if os.path.lexists(path):  # another process was faster, and would have replaced the old one too
            shutil.rmtree(old)
        else:
            old.rename(path)
        raise


def _sync(place: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        if not place.is_dir():  # some file systems know no such thing for folders
            raise
    finally:
        os.close(handle)


def discard(folder: Path) -> None:
    """Delete a folder of ours; to all others it is there or gone, never half of it.

    Raises:
        OSError: It cannot be moved.
    """
    with scratch(folder) as aside:
        folder.rename(aside / "new" / folder.name)


def settle(place: Path) -> None:
    """Before a place is read: clean up after writers that were killed, and let living ones finish."""
    refuse_unnamable(place)
    tidy(place.parent)
    end = time.monotonic() + _SECONDS
    while not os.path.lexists(place) and being_replaced(place) and time.monotonic() < end:
        time.sleep(0.01)


def read_whole(folder: Path, read: Callable[[], Read]) -> Read:
    """What `read` reads of a folder that another process may replace at any moment: all old, or all new.

    Raises:
        IntertaskError: What `read` raises of a folder that keeps still.
    """
    for _ in range(_TRIES):
        settle(folder)
        before = _identity(folder)
        try:
            found = read()
        except (IntertaskError, OSError):
            if _identity(folder) == before:
                raise
        else:
            if _identity(folder) == before:
                return found
    raise IntertaskError(
        str(folder),
        "a folder that keeps still while it is read",
        f"{_TRIES} changes while it was",
        "stop what writes there",
    )


def _identity(folder: Path) -> tuple[int, int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns


def unwritable(path: Path, error: Exception, hint: str = "") -> WriteError:
    """The error that a user is shown where a place cannot be written to."""
    reason = re.sub(rf".*?([^:]*) {re.escape(_OS_ERROR)}.*", r"\1", str(error), flags=re.DOTALL).strip()
    found = (error.strerror if isinstance(error, OSError) else None) or reason
    return WriteError(
        str(path),
        "a place with room that can be written to",
        found,
        hint or "free some space or choose another path; nothing was changed",
    )


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
