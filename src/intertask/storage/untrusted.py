"""Reading files that anybody may have made: regular files alone, of bounded size, and JSON of plain values.

A pipe or a device in the place of a file would be waited for without end. Knows nothing of what files mean.
"""

import errno
import io
import json
import math
import os
import stat
from pathlib import Path

from intertask.errors import IntertaskError

DEEPEST = 20  # tables in tables
LARGEST = 2**63  # beyond 64 bits nothing counts anything

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def size_of(path: Path) -> int:
    """Bytes of a regular file, or of the one that a link leads to.

    Raises:
        IntertaskError: There is no such file, or it is something else.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise IntertaskError(str(path), "a file", _reason(error)) from None
    for is_kind, name in _KINDS:
        if is_kind(found.st_mode):
            raise IntertaskError(str(path), "a file", name)
    return found.st_size


def open_regular(path: Path, most: int | None = None) -> io.BufferedReader:
    """A regular file, opened to be read.

    Args:
        path: Of the file.
        most: As many bytes at most.

    Raises:
        IntertaskError: As for `size_of`, or it is larger, or may not be read.
    """
    size = size_of(path)  # before it is opened: opening a device may already do something
    if most is not None and size > most:
        raise IntertaskError(str(path), f"a file of at most {megabytes(most)}", megabytes(size))
    try:
        # Without waiting, should a pipe have taken its place by now.
        handle = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise IntertaskError(str(path), "a file that can be read", _reason(error)) from None
    if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
        handle.close()
        raise IntertaskError(str(path), "a file", "something else")
    return handle


def read_bytes(path: Path, most: int) -> bytes:
    """What a regular file holds.

    Raises:
        IntertaskError: As for `open_regular`.
    """
    with open_regular(path, most) as handle:
        try:
            content = handle.read(most + 1)
        except OSError as error:
            raise IntertaskError(str(path), "a file that can be read", _reason(error)) from None
    if len(content) > most:
        raise IntertaskError(str(path), f"a file of at most {megabytes(most)}", "one that grows")
    return content


def read_json(path: Path, most: int) -> object:
    """What a JSON file holds: tables whose names come once, in limits of depth and size, finite numbers.

    Raises:
        IntertaskError: As for `open_regular`, or it holds anything else.
    """
    return json_of(read_bytes(path, most), str(path))


def json_of(content: bytes, where: str) -> object:
    """The same of what has been read already."""

    def table(pairs: list[tuple[str, object]]) -> dict[str, object]:
        made = dict(pairs)
        if len(made) < len(pairs):
            seen: set[str] = set()
            twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            raise IntertaskError(where, "each name of a table once", f"{twice!r} twice")
        return made

    try:
        value: object = json.loads(content.decode("utf-8"), object_pairs_hook=table)
    except RecursionError:
        raise IntertaskError(
            where, f"at most {DEEPEST} tables or lists in each other", "deeper ones"
        ) from None
    except UnicodeDecodeError as error:
        packed = content.startswith(b"\x1f\x8b")
        found = "gzip" if packed else f"the byte 0x{content[error.start]:02x} at {error.start:,}"
        hint = "send it unpacked" if packed else ""
        raise IntertaskError(where, "JSON in UTF-8", found, hint) from None
    except json.JSONDecodeError as error:
        raise IntertaskError(where, "JSON in UTF-8", str(error)) from None
    except ValueError:  # of a number: so many digits are not read
        raise IntertaskError(where, "numbers of 64 bits at most", "one of thousands of digits") from None
    refuse_extremes(value, where)
    return value


def refuse_extremes(value: object, where: str) -> None:
    """Refuse what no file of ours holds, before anything is made of it.

    Args:
        value: Tables, lists, text and numbers, as a parser gave them.
        where: The file.

    Raises:
        IntertaskError: Tables are nested too deeply, a number is not finite or has more than 64 bits, or text
            holds what no file can hold.
    """
    waiting: list[tuple[object, tuple[str, ...], tuple[str, ...]]] = [(value, (), ())]
    while waiting:
        found, tables, keys = waiting.pop()
        if isinstance(found, str):  # most are
            if _strange(found):
                _refuse_text(found, _place(where, tables, keys))
        elif isinstance(found, dict | list) and len(tables) + len(keys) >= DEEPEST:
            place = _place(where, tables, keys)
            raise IntertaskError(place, f"at most {DEEPEST} tables or lists in each other", "deeper ones")
        elif isinstance(found, dict):
            for name in map(str, found):
                if _strange(name):
                    _refuse_text(name, _place(where, tables, keys))
            within = (*tables, *keys)
            waiting += [
                (part, (*within, str(name)), ()) if isinstance(part, dict) else (part, within, (str(name),))
                for name, part in found.items()
            ]
        elif isinstance(found, list):
            waiting += [(part, tables, (*keys, str(number))) for number, part in enumerate(found)]
        elif isinstance(found, int) and not -LARGEST <= found < LARGEST:
            place = _place(where, tables, keys)
            raise IntertaskError(place, "a number of 64 bits at most", f"one of {found.bit_length():,} bits")
        elif isinstance(found, float) and not math.isfinite(found):
            raise IntertaskError(_place(where, tables, keys), "a finite number", repr(found))


def _place(where: str, tables: tuple[str, ...], keys: tuple[str, ...]) -> str:
    return " ".join(filter(None, [where, f"[{'.'.join(tables)}]" if tables else "", ".".join(keys)]))


def _strange(text: str) -> bool:
    """Whether a text needs a second look."""
    return "\0" in text or not text.isascii()


def _refuse_text(text: str, where: str) -> None:
    if "\0" in text:
        raise IntertaskError(where, "text", "text with a NUL character", "leave it out")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise IntertaskError(where, "text in Unicode", "half of a character", "write it anew") from None


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size:,} bytes" if size < 1 << 20 else f"{size / (1 << 20):,.0f} MB"


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, OSError):
        return "links in a circle" if error.errno == errno.ELOOP else (error.strerror or str(error))
    return str(error)  # a NUL in the path
