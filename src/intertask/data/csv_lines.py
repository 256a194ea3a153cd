"""The exact way through a damaged CSV: every line that is no row is taken out, named and accounted for.

It is ten times slower than the reader of Polars, which ends at the first line that it cannot read; it
runs where that one has failed, or would be wrong in silence (`survey`). It leaves a file that Polars reads.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intertask.data.lines import LONGEST_LINE, Account, Lines, Mended, TooLong, strange
from intertask.data.scratch import Scratch

MORE_CELLS, HEADER = "more cells than columns", "the header again"
UNCLOSED, BEHIND_QUOTE = "a quote that is never closed", "text behind a closing quote"
_PIECE = 1 << 22
_MOST_LINES, _MOST_BYTES = 1000, 1 << 20  # of one record
_MOST_WASTED = 1_000_000  # lines that may be looked at in vain, so that no file takes for ever
_RUN_ON = 3  # so many lines inside one cell that each look like a row: its quote was never closed


def survey(path: Path, separator: str, header: bytes) -> int | None:
    """The line ends of a CSV that the fast reader understands as it was meant; None where it may not.

    It cannot be trusted with NUL bytes, line ends of old Macs, blank lines, a header that comes again, and
    quotes that do not enclose a cell; bytes that are no UTF-8 it refuses itself, with the whole file.
    """
    again = b"\n" + header.rstrip(b"\r\n")
    quotes = _Quotes(separator)
    ends, before = 0, b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            if not piece.endswith(b"\n"):
                piece += file.readline(LONGEST_LINE)
            text = before + piece
            if b"\0" in text or b"\n\n" in text or again + b"\n" in text or again + b"\r" in text:
                return None
            if b"\r" in text and (text.count(b"\r") != text.count(b"\r\n") or b"\n\r" in text):
                return None
            if not quotes.enclose_cells(piece):
                return None
            ends += piece.count(b"\n")
            before = b"\n"
    return None if quotes.open else ends


def runs_on(path: Path, separator: str) -> bool:
    """Whether some cell of a well-formed CSV has so many lines that its quote may never have been closed."""
    quotes = _Quotes(separator)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            piece += b"" if piece.endswith(b"\n") else file.readline(LONGEST_LINE)
            if quotes.most_lines(piece) > _RUN_ON:
                return True
    return False


class _Quotes:
    """Where the quotes of a text stand, piece by piece; each piece begins with a line."""

    def __init__(self, separator: str) -> None:
        self.open = False
        self._breaks = 0  # line ends so far inside the cell that is open
        self._around = np.zeros(256, bool)
        self._around[list(f'{separator}\r\n"'.encode())] = True

    def enclose_cells(self, piece: bytes) -> bool:
        """Whether each quote begins a cell, ends one, or stands twice within one."""
        if b'"' not in piece:
            return True
        letters, opening, closing = self._places(piece)
        self.open = self.open != bool((len(opening) + len(closing)) % 2)
        return bool(self._around[letters[opening - 1]].all() and self._around[letters[closing + 1]].all())

    def most_lines(self, piece: bytes) -> int:
        """The most line ends that a cell has so far."""
        if b'"' not in piece:
            self._breaks += piece.count(b"\n") if self.open else 0
            return self._breaks
        letters, opening, closing = self._places(piece)
        if self.open:
            opening = np.concatenate([[1], opening])
        ends = np.concatenate([closing, [len(letters) - 1]]) if len(opening) > len(closing) else closing
        breaks = np.flatnonzero(letters == ord("\n"))
        inside = np.searchsorted(breaks, ends) - np.searchsorted(breaks, opening)
        inside[0] += self._breaks
        self.open = len(opening) > len(closing)
        self._breaks = int(inside[-1]) if self.open else 0
        return int(inside.max())

    def _places(self, piece: bytes) -> tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.intp]]:
        letters = np.frombuffer(b"\n" + piece + b"\n", np.uint8)
        places = np.flatnonzero(letters == ord('"'))
        return letters, places[int(self.open) :: 2], places[1 - int(self.open) :: 2]


def mend_csv(path: Path, separator: str, skipped: int = 0) -> Mended:
    """A CSV without the lines that are no rows; the others are as they were, or quoted as they must be.

    Refused are rows with more filled cells than the header, bytes that are no UTF-8, NULs, the header where
    it comes again, and quotes that do not enclose a cell. A quote that is not closed within a thousand lines
    costs its own line alone, and so does one that would take whole rows into one cell. Blank lines are not
    counted.

    Args:
        path: In UTF-8, not packed.
        separator: Between the cells; one byte.
        skipped: Lines before the header.
    """
    account, out = Account(), Scratch()
    with path.open("rb") as file:
        lines = Lines(file)
        lines.drop(skipped)
        records = _Records(lines, separator, _first(lines))
        out.file.write(records.spelt(records.columns) + b"\n")
        while (content := lines.next()) is not None:
            if not content.strip():
                continue
            line = lines.number
            account.row += 1
            record, wrong = records.read(content)
            if wrong is None:
                out.file.write(record + b"\n")
            else:
                account.refuse(line, wrong, record)
    return account.mended(out)


def _first(lines: Lines) -> bytes:
    while (line := lines.next()) is not None:
        if line.strip():
            return line
    return b""


class _Records:
    """Rows of cells, each of one line or of several."""

    def __init__(self, lines: Lines, separator: str, header: bytes) -> None:
        self._lines = lines
        self._separator = separator.encode()
        blanks = b"" if separator == " " else b" *+"
        inside = rb'[^"]*+(?:""[^"]*+)*+'
        self._opening = re.compile(blanks + b'"')
        self._inside = re.compile(inside)
        self._closing = re.compile(b'"' + blanks + b"(?=" + re.escape(self._separator) + rb"|\Z)")
        self._wasted = 0
        self.columns: list[bytes] = []
        self.columns = self._cells(header).cells or header.split(self._separator)

    def read(self, content: bytes) -> tuple[bytes, str | None]:
        """The record that begins with this line, as it shall be written, or the line and what is wrong."""
        found = self._cells(content)
        wrong = found.wrong or strange(found.record)
        num = len(self.columns)
        if wrong is None and len(found.cells) > num and any(cell.strip() for cell in found.cells[num:]):
            wrong = MORE_CELLS
        if wrong is None and found.cells == self.columns:
            wrong = HEADER
        if wrong is not None or (found.regular and len(found.cells) <= num):
            return found.record, wrong
        return self.spelt(found.cells[:num]), None

    def spelt(self, cells: list[bytes]) -> bytes:
        """Cells as one record."""
        special = (self._separator, b'"', b"\r", b"\n")
        return self._separator.join(
            b'"' + cell.replace(b'"', b'""') + b'"' if any(mark in cell for mark in special) else cell
            for cell in cells
        )

    def _cells(self, content: bytes) -> "_Found":
        if b'"' not in content:
            return _Found(content, content.split(self._separator))
        found = _Found(content, [])
        text, place = content, 0
        while True:
            if opening := self._opening.match(text, place):
                text, place = self._quoted(found, text, opening)
                if found.wrong is not None:
                    return found
            else:
                stop = text.find(self._separator, place)
                stop = len(text) if stop < 0 else stop
                found.cells.append(text[place:stop])
                found.regular &= b'"' not in found.cells[-1]
                place = stop
            if place == len(text):
                return found
            place += 1

    def _quoted(self, found: "_Found", text: bytes, opening: re.Match[bytes]) -> tuple[bytes, int]:
        """Reads a quoted cell; the line in which it ends, and the place behind it."""
        found.regular &= len(opening[0]) == 1
        taken: list[bytes] = []  # further lines
        parts, start = [], opening.end()
        while True:
            stop = self._inside.match(text, start).end()  # type: ignore[union-attr]
            parts.append(text[start:stop])
            if stop < len(text):
                break
            line = self._next(found, taken)
            if line is None or isinstance(line, TooLong):
                return self._unclosed(found, taken)
            text, start = line, 0
        closing = self._closing.match(text, stop)
        if closing is None and not taken and not found.further:
            found.wrong = BEHIND_QUOTE
            return text, len(text)
        if closing is None or self._runs_on(parts):
            return self._unclosed(found, taken)
        found.take(taken)
        found.regular &= len(closing[0]) == 1
        found.cells.append(b"\n".join(parts).replace(b'""', b'"'))
        return text, closing.end()

    def _next(self, found: "_Found", taken: list[bytes]) -> bytes | None:
        if len(taken) >= _MOST_LINES or found.size > _MOST_BYTES or self._wasted > _MOST_WASTED:
            return None
        line = self._lines.next()
        if line is not None:
            taken.append(line)
            found.size += len(line)
        return line

    def _unclosed(self, found: "_Found", taken: list[bytes]) -> tuple[bytes, int]:
        """Only the first line is lost; those behind it are read again, each for itself."""
        again = found.further + taken
        self._wasted += len(again)
        self._lines.back(again)
        found.record, found.further, found.wrong = found.first, [], UNCLOSED
        return b"", 0

    def _runs_on(self, parts: list[bytes]) -> bool:
        inner = parts[1:-1]
        return (
            len(inner) >= _RUN_ON
            and len(self.columns) > 1
            and all(line.count(self._separator) == len(self.columns) - 1 for line in inner)
        )


class _Found:
    """What was read of one record: its lines, its cells, whether it can stay as it is, what is wrong."""

    def __init__(self, first: bytes, cells: list[bytes]) -> None:
        self.first, self.cells = first, cells
        self.record = first
        self.further: list[bytes] = []
        self.size = len(first)
        self.regular = True
        self.wrong: str | None = None

    def take(self, lines: list[bytes]) -> None:
        """Further lines that belong to it."""
        self.further += lines
        self.record = b"\n".join([self.record, *lines])
