"""Ids on the command line: several in one word with commas between, or one a line in a file."""

import re
from collections.abc import Iterable
from pathlib import Path

from intertask.errors import RequestError

LARGEST = 2**30  # bytes of a file of ids
_COMMA, _EQUALS = re.compile(r"(?<!\\),"), re.compile(r"(?<!\\)=")


def separated(words: Iterable[str], option: str) -> list[str]:
    r"""The ids in some words: `a,b` are two, and `a\,b` is one with a comma.

    Raises:
        RequestError: A word holds no id, as a variable of the shell that is not set.
    """
    found = []
    for word in words:
        ids = pieces(word)
        if not ids:
            raise RequestError(option, "an id, or several with commas between", repr(word))
        found += [_unescaped(one) for one in ids]
    return found


def pieces(word: str) -> list[str]:
    """What stands between commas, blanks around it left out, and escapes as they are."""
    return [piece for part in _COMMA.split(word) if (piece := part.strip())]


def events(word: str) -> list[str | tuple[str, str]]:
    r"""A history: items, or ITEM=BEHAVIOUR; an item with an equals sign is written `a\=b`."""
    found: list[str | tuple[str, str]] = []
    for piece in pieces(word):
        *item, behaviour = _EQUALS.split(piece)
        name = _unescaped("=".join(item).strip() if item else behaviour)
        found.append((name, _unescaped(behaviour.strip())) if item else name)
    return found


def values(word: str, option: str) -> dict[str, str]:
    r"""What stands in columns: `age=63,sex=1`; a comma or an equals sign in it is written `\,` and `\=`.

    Raises:
        RequestError: It is something else, or names a column twice.
    """
    found: dict[str, str] = {}
    for piece in pieces(word):
        name, *rest = _EQUALS.split(piece, maxsplit=1)
        name = _unescaped(name.strip())
        if not rest or not name:
            raise RequestError(option, "COLUMN=VALUE, separated by commas", repr(piece))
        if name in found:
            raise RequestError(option, "each column once", f"{name!r} twice")
        found[name] = _unescaped(rest[0].strip())
    if not found:
        raise RequestError(option, "COLUMN=VALUE, separated by commas", repr(word))
    return found


def _unescaped(text: str) -> str:
    return text.replace("\\,", ",").replace("\\=", "=")


def from_file(file: Path, option: str) -> list[str]:
    """The ids in a text file, one a line; blank lines are left out.

    Raises:
        RequestError: It is no file of text.
    """
    if not file.is_file():
        found = "a folder" if file.is_dir() else "no such file" if not file.exists() else "no regular file"
        raise RequestError(f"{option} {file}", "a text file with one id a line", found)
    if file.stat().st_size > LARGEST:
        raise RequestError(f"{option} {file}", "a gigabyte at most", f"{file.stat().st_size:,} bytes")
    try:
        lines = file.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        found = f"another encoding at byte {error.start:,}"
        raise RequestError(f"{option} {file}", "text in UTF-8", found, "convert it, as by iconv") from None
    return [line for text in lines if (line := text.strip())]
