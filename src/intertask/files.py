"""Writing so that nothing half-written is ever left behind, and reading back with a checksum.

Files and folders are written beside their place and renamed into it when they are complete.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from intertask.errors import IntertaskError

_OS_ERROR = "(os error"  # how Rust ends the message of an error that comes from the system


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A temporary path that replaces `path` when the block ends well, and vanishes when it does not.

    Works for files and for folders: whatever the block makes at the temporary path is moved.

    Raises:
        IntertaskError: The place cannot be written to, or the disk is full.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield aside / path.name
        _move_into_place(aside / path.name, path, aside)
    except OSError as error:
        raise unwritable(path, error) from error
    except IntertaskError as error:
        if not error.where.startswith(str(aside)):
            raise
        # A part of a folder that is written aside itself: the user knows the folder alone.
        raise type(error)(str(path), error.expected, error.found, error.hint) from error
    except Exception as error:
        # What writes safetensors and Parquet has errors of its own for a full disk.
        if _OS_ERROR not in str(error):
            raise
        raise unwritable(path, error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def refuse_foreign(folder: Path, known: Collection[str], what: str) -> None:
    """Refuse to replace a folder that holds anything but what is known.

    Args:
        folder: What would be replaced; it need not exist.
        known: Names or patterns of what may stand in it.
        what: The folder in words.

    Raises:
        IntertaskError: Names the first other thing.
    """
    if not folder.exists():
        return
    names = sorted(place.name for place in folder.iterdir()) if folder.is_dir() else ["a file"]
    for name in names:
        if not any(fnmatch(name, pattern) for pattern in known):
            raise IntertaskError(
                str(folder), f"an empty place, or {what}", repr(name) if folder.is_dir() else name,
                "choose another place; nothing was changed",
            )  # fmt: skip


def _move_into_place(new: Path, path: Path, aside: Path) -> None:
    if not new.is_dir():
        _flush(new)
        new.replace(path)
        return
    for file in new.rglob("*"):
        if file.is_file():
            _flush(file)
    # A folder cannot replace a folder in one step: the old one steps aside, to be deleted with the rest.
    old = aside / "replaced"
    if path.exists():
        path.rename(old)
    try:
        new.rename(path)
    except OSError:
        if old.exists():
            old.rename(path)
        raise


def _flush(file: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def unwritable(path: Path, error: Exception) -> IntertaskError:
    """The error that a user is shown where a place cannot be written to."""
    reason = re.sub(rf".*?([^:]*) {re.escape(_OS_ERROR)}.*", r"\1", str(error), flags=re.DOTALL).strip()
    found = (error.strerror if isinstance(error, OSError) else None) or reason
    return IntertaskError(
        str(path), "a place with room that can be written to", found,
        "free some space or choose another path; nothing was changed",
    )  # fmt: skip


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
