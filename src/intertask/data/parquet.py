"""How much memory a Parquet file needs once it is decompressed, from the headers of its pages alone.

A few kilobytes may grow to gigabytes, and a file's own summary may say otherwise: what a reader allocates is
what the header of each page says. Source: the format's `parquet.thrift`, in Thrift's compact protocol.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from intertask.data.tables import reading
from intertask.errors import DataError
from intertask.storage.untrusted import megabytes, open_regular

# A frame may need so many bytes, and so many for each byte of the file; a catalogue of ten million items with
# five columns of few words, about the best that real tables compress, needs 100.
ALWAYS, PER_BYTE = 64 << 20, 256
VALUE = 16  # bytes of a value in memory, beside the text that it points to

_FOOTER = 16 << 20  # longest summary, in bytes
_PAGES = 100_000  # most of them in a file
_HEADER = 1 << 14  # longest header of a page, statistics included
_DEEPEST = 16

Thrift = int | bytes | list["Thrift"] | dict[int, "Thrift"]


def read_parquet(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """A Parquet file as a frame, after its size in memory has been bounded.

    Args:
        path: A regular file.
        columns: Names of all columns that it must have, in order; any where left out.

    Raises:
        IntertaskError: It is no such file, or grows out of proportion.
    """
    most = refuse_large(path)
    with reading(str(path)):
        frame = pl.read_parquet(path.absolute(), glob=False)  # it takes a ~ for the home folder
    needed = int(frame.estimated_size())  # text that rows share counts for each of them
    if needed > most:
        raise DataError(str(path), f"a table of at most {megabytes(most)}", f"one of {megabytes(needed)}")
    if columns is not None and frame.columns != columns:
        raise DataError(str(path), f"the columns {', '.join(columns)}", ", ".join(frame.columns) or "none")
    return frame


def refuse_large(path: Path) -> int:
    """Refuse a Parquet file that grows out of proportion; as many bytes as its frame may need.

    Raises:
        IntertaskError: As it says, or it is no regular Parquet file.
    """
    with open_regular(path) as handle:
        try:
            needed, most = _memory(handle), ALWAYS + PER_BYTE * handle.seek(0, 2)
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            raise DataError(
                str(path), "a complete Parquet file", "another or a truncated one", "write it again"
            ) from None
    if needed > most:
        raise DataError(str(path), f"a table of at most {megabytes(most)}", f"one of {megabytes(needed)}")
    return most


def _memory(handle: io.BufferedReader) -> int:
    """Bytes that all pages need once they are decompressed and decoded."""
    size = handle.seek(0, 2)
    handle.seek(size - 8)
    tail = handle.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or not 0 < length <= min(_FOOTER, size - 12):
        raise ValueError("no summary")
    handle.seek(size - 8 - length)
    summary = _Reader(handle.read(length)).struct()
    total, pages = 0, 0
    for group in _list(summary[4]):
        for chunk in _list(_struct(group)[1]):
            for header in _pages(handle, _struct(_struct(chunk)[3]), size):
                pages += 1
                if pages > _PAGES:
                    raise ValueError("too many pages")
                total += _int(header[2]) + VALUE * _values(header)
    return total


def _pages(handle: io.BufferedReader, column: dict[int, Thrift], size: int) -> Iterator[dict[int, Thrift]]:
    """The headers of the pages of a column in a group of rows."""
    starts = [_int(column[key]) for key in (9, 11) if _int(column.get(key, 0)) > 0]
    place = min(starts)
    end = place + _int(column[7])
    if not 0 < place <= end <= size:
        raise ValueError("a column outside of the file")
    while place < end:
        handle.seek(place)
        reader = _Reader(handle.read(_HEADER))
        header = reader.struct()
        compressed = _int(header[3])
        if compressed < 0 or _int(header[2]) < 0:
            raise ValueError("a negative size")
        place += reader.place + compressed
        yield header


def _values(header: dict[int, Thrift]) -> int:
    """Values of a page: of data (5, 8) or of the dictionary (7)."""
    counts = [_int(_struct(header[key])[1]) for key in (5, 7, 8) if key in header]
    if any(count < 0 for count in counts):
        raise ValueError("a negative count")
    return sum(counts)


class _Reader:
    """Values of Thrift's compact protocol; a struct is a table by the numbers of its fields."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0

    def struct(self, depth: int = 0) -> dict[int, Thrift]:
        """The struct that begins here."""
        if depth > _DEEPEST:
            raise ValueError("structs too deep")
        fields: dict[int, Thrift] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else _signed(self._varint())
            fields[number] = self._value(head & 15, depth)
        return fields

    def _value(self, kind: int, depth: int, *, listed: bool = False) -> Thrift:
        if kind in (1, 2) and not listed:  # a truth value, which in a list is a byte of its own
            return kind
        if kind in (1, 2, 3):
            return self._byte()
        if kind in (4, 5, 6):
            return _signed(self._varint())
        if kind in (7, 8):
            return self._bytes(8 if kind == 7 else self._varint())
        if kind in (9, 10):
            head = self._byte()
            count = self._varint() if head >> 4 == 15 else head >> 4
            if count > len(self.content) - self.place:
                raise ValueError("a list longer than the file")
            return [self._value(head & 15, depth, listed=True) for _ in range(count)]
        if kind == 12:
            return self.struct(depth + 1)
        raise ValueError("a value of an unknown kind")

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number of more than 64 bits")

    def _byte(self) -> int:
        self.place += 1
        return self.content[self.place - 1]

    def _bytes(self, count: int) -> bytes:
        if count > len(self.content) - self.place:
            raise ValueError("text longer than the file")
        self.place += count
        return self.content[self.place - count : self.place]


def _signed(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _int(value: Thrift) -> int:
    if not isinstance(value, int):
        raise TypeError("expected a number")
    return value


def _list(value: Thrift) -> list[Thrift]:
    if not isinstance(value, list):
        raise TypeError("expected a list")
    return value


def _struct(value: Thrift) -> dict[int, Thrift]:
    if not isinstance(value, dict):
        raise TypeError("expected a struct")
    return value
