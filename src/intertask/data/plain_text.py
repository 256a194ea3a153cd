"""A text file as plain UTF-8: unpacked and recoded into a temporary file where it is not."""

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from intertask.data.scratch import Scratch
from intertask.errors import DataError

_PIECE = 1 << 20
# What a packed file may grow to. Logs shrink five- to thirtyfold, a bomb a thousandfold.
_MOST_TIMES, _ALWAYS = 200, 256 << 20
_SAMPLE = 1 << 16
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before that of UTF-16, which is its beginning
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_NO_ENCODINGS = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"}
_GZIP = b"\x1f\x8b"
# What programs of today write; those of DOS, old Macs and mainframes are guessed too often of few letters.
_OF_TODAY = (
    *(f"cp{page}" for page in (1252, 1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258, 874, 932, 949)),
    *("gb18030", "big5", "euc_jp", "euc_kr", "koi8_r", "iso8859_2", "iso8859_15"),
)
# The first bytes of what is no text, what it is, and what to do.
_FOREIGN = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook", "unpack it, or save its sheet as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save its sheet as CSV UTF-8"),
    (b"PAR1", "a Parquet file", "give its name the ending .parquet"),
    (b"ARROW1", "an Arrow file", "read it with polars.read_ipc and pass the frame, or save it as Parquet"),
    (_GZIP, "a gzip archive", "give its name the ending .gz"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "unpack it"),
    (b"BZh", "a bzip2 archive", "unpack it"),
    (b"\xfd7zXZ\0", "an xz archive", "unpack it"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"%PDF", "a PDF", "export the table as CSV"),
)


@dataclass(frozen=True)
class PlainText:
    """Text in UTF-8 on the disk.

    Args:
        path: Where it lies.
        encoding: What it was written in.
        scratch: The temporary file, which lives as long as this object; None where the file was plain.
    """

    path: Path
    encoding: str
    scratch: Scratch | None = None


def plain(path: Path, name: str, encoding: str | None = None) -> PlainText:
    """The file itself where it is UTF-8, else a copy that is; bytes that mean nothing stay no UTF-8.

    Args:
        path: A regular file; packed with gzip where its name ends in .gz.
        name: What errors call it.
        encoding: Of the text; None takes what its first bytes say, and UTF-8 otherwise.

    Raises:
        DataError: It is no text, another encoding, a damaged archive, or one that grows without measure.
    """
    codec = None if encoding is None else known(encoding, name)
    packed = path.suffix.lower() == ".gz"
    with path.open("rb") as file:
        refuse_foreign_bytes(file.read(512), name, packed)
    if not packed and codec in (None, "utf-8"):
        with path.open("rb") as file:
            codec = _encoding(file.read(_SAMPLE), name, codec)
        if codec.startswith("utf-8"):
            return PlainText(path, codec)
    scratch = Scratch()
    with path.open("rb") as file:
        pieces = _unpacked(file, path, name) if packed else iter(lambda: file.read(_PIECE), b"")
        first = next(pieces, b"")
        if packed:
            refuse_foreign_bytes(first[:512], name, packed=False)
        codec = _encoding(first[:_SAMPLE], name, codec)
        try:
            for piece in _recoded(first, pieces, codec):
                scratch.file.write(piece)
        except UnicodeError as error:  # no mark at the beginning, or what an error handler may not see
            raise DataError(f"{name} encoding", f"text in {codec}", str(error), "name another") from None
    scratch.file.flush()
    return PlainText(scratch.path, codec, scratch)


def known(encoding: str, name: str) -> str:
    """The name that Python gives an encoding of text.

    Raises:
        DataError: It knows none of that name.
    """
    try:
        found = codecs.lookup(encoding)
        if not found._is_text_encoding or found.name.replace("_", "-") in _NO_ENCODINGS:
            raise LookupError
    except (LookupError, ValueError):
        raise DataError(
            f"{name} encoding",
            "an encoding of text, such as utf-8, cp1252 or utf-16",
            repr(encoding)[:80],
            "leave it out for UTF-8",
        ) from None
    return found.name


def refuse_foreign_bytes(head: bytes, name: str, packed: bool) -> None:
    """Refuse what its first bytes say is no text.

    Raises:
        DataError: Says what it is and what to do.
    """
    for mark, what, hint in _FOREIGN:
        if head.startswith(mark) and not (packed and mark == _GZIP):
            raise DataError(name, "text, as the name says", what, hint)
    if head[257:262] == b"ustar":
        raise DataError(name, "text, as the name says", "a tar archive", "unpack it")
    if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise DataError(name, "text, as the name says", "a web page", "download the file again")


def likely_encoding(sample: bytes) -> str | None:
    """The encoding that bytes which are no UTF-8 are most probably in; None where they are no text."""
    from charset_normalizer import from_bytes

    if b"\0" in sample:
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        if max(even, odd) < len(sample) / 8 or min(even, odd) > max(even, odd) / 4:
            return None
        return "utf-16-le" if odd > even else "utf-16-be"
    whole = sample[: sample.rfind(b"\n") + 1] or sample
    best = from_bytes(whole, cp_isolation=list(_OF_TODAY), threshold=0.5).best()
    if best is None or best.encoding == "ascii":
        return None
    # Of single-byte encodings that read the same letters the one is meant that Windows writes.
    alike = {best.encoding, *best.could_be_from_charset}
    return "cp1252" if "cp1252" in alike else best.encoding


def _encoding(sample: bytes, name: str, codec: str | None) -> str:
    """What the text is in: as its mark says, as it was said, or UTF-8 if its first line is."""
    for mark, marked in _MARKS.items():
        if sample.startswith(mark):
            return marked
    if codec is not None:
        return codec
    line = re.split(rb"[\r\n]", sample, maxsplit=1)[0]
    try:
        if "\0" not in codecs.getincrementaldecoder("utf-8")().decode(line):  # it may end within a letter
            return "utf-8"
    except UnicodeDecodeError:
        pass
    guess = likely_encoding(sample)
    raise DataError(
        name,
        "text in UTF-8",
        "another encoding" if guess else "another encoding, or no text",
        f"if it is text, say encoding = {guess or 'cp1252'!r}",
    )


def _unpacked(file: IO[bytes], path: Path, name: str) -> Iterator[bytes]:
    most = max(_ALWAYS, _MOST_TIMES * path.stat().st_size)
    size, magic = 0, file.read(len(_GZIP))
    file.seek(0)
    try:
        with gzip.GzipFile(fileobj=file) as text:
            while piece := text.read(_PIECE):
                size += len(piece)
                if size > most:
                    raise DataError(
                        name,
                        f"an archive that unpacks to {most >> 20} MiB at most",
                        "more",
                        "unpack it yourself if it is what you think it is",
                    )
                yield piece
    except EOFError:
        raise DataError(name, "a complete gzip archive", "its beginning", "fetch the file again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        what = "damaged bytes"
        if "Not a gzipped" in str(error):
            what = "other bytes behind its end" if magic == _GZIP else "none"
        raise DataError(name, "a complete gzip archive", what, "fetch the file again") from None


def _recoded(first: bytes, pieces: Iterator[bytes], codec: str) -> Iterator[bytes]:
    if codec == "utf-8":
        yield first
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(codec)(errors="intertask.marked")
    yield decoder.decode(first).encode("utf-8", "surrogatepass")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Half a pair of surrogates for bytes that mean nothing: no UTF-8 either, so that their line is found."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\ud800", error.end


codecs.register_error("intertask.marked", _mark)
