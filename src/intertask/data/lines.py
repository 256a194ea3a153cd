"""The lines of a text file, whatever ends them, and the account of those that hold no row."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

import polars as pl

from intertask.data.refusals import SCHEMA
from intertask.data.scratch import Scratch

LONGEST_LINE = 1 << 24
NOT_UTF8, NULS, TOO_LONG = "not UTF-8", "NUL bytes", "a line of more than 16 MiB"
_PIECE = 1 << 20
_SAMPLE = 1 << 16
_SHOWN = 200  # letters of a line that the account keeps


@dataclass(frozen=True)
class Mended:
    """A text file without its damaged lines.

    Args:
        file: What is left of it.
        damaged: The lines taken out, as `Refusals` lists them; `row` counts them as rows.
        num_rows: Lines that hold a row, damaged or not.
        foreign: Some lines that are no UTF-8, as they are.
    """

    file: Scratch
    damaged: pl.DataFrame
    num_rows: int
    foreign: bytes = b""


@dataclass
class Account:
    """Counts rows, and keeps what is refused.

    Args:
        row: Rows so far, refused ones included.
        lines: What was refused so far, as rows of `Refusals`.
        foreign: Some lines that are no UTF-8, as they are.
    """

    row: int = 0
    lines: list[tuple[int, str, None, str]] = field(default_factory=list)
    foreign: bytes = b""

    def refuse(self, line: int, reason: str, content: bytes) -> None:
        """Refuse the present row, which began at this line of the file."""
        text = content[: 4 * _SHOWN].decode("utf-8", "replace").rstrip("\r\n")[:_SHOWN]
        self.lines.append((self.row, reason, None, f"line {line}: {text}"))
        if reason == NOT_UTF8 and len(self.foreign) < _SAMPLE:
            self.foreign += content[:_SAMPLE] + b"\n"

    def mended(self, file: Scratch) -> Mended:
        """The result, once the whole file has been read."""
        file.file.flush()
        return Mended(file, pl.DataFrame(self.lines, SCHEMA, orient="row"), self.row, self.foreign)


class TooLong(bytes):
    """The beginning of a line that is longer than `LONGEST_LINE`."""


def strange(content: bytes) -> str | None:
    """Why these bytes are no text, or None."""
    if isinstance(content, TooLong):
        return TOO_LONG
    if b"\0" in content:
        return NULS
    if content.isascii():
        return None
    try:
        content.decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    return None


class Lines:
    """The lines of a file, each without its end; some may be given back, to be read again.

    Attributes:
        number: Of the line that was read last, from 1.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.number = 0
        self._lines = _lines(file)
        self._waiting: list[bytes] = []

    def next(self) -> bytes | None:
        """The next line, None behind the last."""
        line = self._waiting.pop() if self._waiting else next(self._lines, None)
        self.number += line is not None
        return line

    def back(self, lines: list[bytes]) -> None:
        """Give lines back, to be read again."""
        self._waiting += reversed(lines)
        self.number -= len(lines)

    def drop(self, count: int) -> None:
        """Pass over lines."""
        for _ in range(count):
            self.next()


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    rest, skipping = b"", False
    piece = file.read(_PIECE).removeprefix(codecs.BOM_UTF8)
    while piece:
        ahead = file.read(1) if piece.endswith(b"\r") else b""
        if ahead == b"\n":  # a line may end in two bytes
            piece, ahead = piece + ahead, b""
        found = (rest + piece).splitlines()
        whole = piece.endswith((b"\n", b"\r"))
        rest = b"" if whole or not found else found.pop()
        if found and skipping:
            found, skipping = found[1:], False
        yield from found
        if len(rest) > LONGEST_LINE:
            if not skipping:
                yield TooLong(rest[:1000])
            rest, skipping = b"", True
        piece = ahead + file.read(_PIECE)
    if rest and not skipping:
        yield rest
