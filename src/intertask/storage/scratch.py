"""A folder beside a place, where what will stand there is made; it never outlives the next writer.

Its name and the lock in it are unmistakable, so that what a killed process left is found and deleted, and
what a living one works on, or somebody else made, never is:

    .intertask-0123456789abcdef/writer.lock   who writes, and the name of the place
                                new/NAME      what will stand at the place
                                old           what stood there, while the two cannot change places at once
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from intertask.storage.locks import Lock, holder, take

_NAME = re.compile(r"\.intertask-[0-9a-f]{16}")
_WRITER = "writer.lock"


@contextmanager
def scratch(place: Path) -> Iterator[Path]:
    """A folder beside a place, deleted at the end with all that is in it.

    Raises:
        OSError: It cannot be made.
    """
    place = place.absolute()  # Polars takes a relative path that begins with ~ for the home folder
    tidy(place.parent)
    folder, lock = _made(place)
    try:
        (folder / "new").mkdir()
        yield folder
    finally:
        _delete(folder, lock)


def tidy(folder: Path) -> None:
    """Delete what killed writers left in a folder; what they had taken away goes back to its place."""
    for leftover in _scratches(folder):
        with suppress(OSError):  # of another user, perhaps; it is not in the way
            try:
                lock = take(leftover / _WRITER, None)
            except FileNotFoundError:
                leftover.rmdir()  # made and not used; fails where anything is in it
                continue
            if lock is not None:
                _recover(leftover, folder)
                _delete(leftover, lock)


def being_replaced(place: Path) -> bool:
    """Whether a living process is about to put something at a place from where it has taken the old."""
    for folder in _scratches(place.parent):
        with suppress(OSError):
            if (folder / "old").exists() and holder(folder / _WRITER).work == place.name:
                return True
    return False


def _scratches(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [
                folder / entry.name
                for entry in entries
                if _NAME.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []


def _made(place: Path) -> tuple[Path, Lock]:
    while True:
        folder = place.parent / f".intertask-{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        try:
            lock = take(folder / _WRITER, place.name)
        except FileNotFoundError:  # somebody tidied up before there was a lock in it
            continue
        except OSError:  # a full disk
            (folder / _WRITER).unlink(missing_ok=True)
            folder.rmdir()
            raise
        if lock is not None:
            return folder, lock


def _recover(leftover: Path, folder: Path) -> None:
    """Put back what was taken away when the new was not yet in its place."""
    name = holder(leftover / _WRITER).work
    place, old = folder / name, leftover / "old"
    if not name or Path(name).name != name or os.path.lexists(place) or not os.path.lexists(old):
        return
    old.rename(place)


def _delete(folder: Path, lock: Lock) -> None:
    """Delete a scratch folder, its lock last: without it nobody could tell whose the rest is."""
    for path, _, _ in os.walk(folder):  # what could not be written to could not be deleted either
        with suppress(OSError):
            Path(path).chmod(0o700)
    for part in ("new", "old"):
        shutil.rmtree(folder / part, ignore_errors=True)
    with suppress(OSError):
        if [entry.name for entry in folder.iterdir()] == [_WRITER]:
            lock.delete()
            folder.rmdir()
            return
    with suppress(OSError):
        lock.release(forget=False)
