"""Files with a word on each line, its tag behind it, and a blank line between sentences, as CoNLL's.

Columns are parted by blanks or tabs; other white space, such as the wide blank of Chinese, is a part of a
word. Of CoNLL-U, comments and the lines of words that are told in parts below them (3-4) or not at all (5.1)
are passed over.
"""

import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from intertask.errors import DataError, IntertaskError
from intertask.storage.untrusted import read_bytes

BYTES = 1 << 30  # of one file
_DOCUMENT = "-DOCSTART-"
_BLANKS = re.compile(r"[ \t]+")
_NO_WORD = re.compile(r"\d+[-.]\d+")  # in the first column of CoNLL-U


@dataclass(frozen=True)
class Sentences:
    """Sentences of a file, in its order.

    Args:
        words: Of each sentence.
        tags: Of each sentence, as many.
        documents: Number of the document of each sentence; 0 for all where the file marks none.
    """

    words: list[list[str]]
    tags: list[list[str]]
    documents: list[int]


def read(path: Path, word: int = 0, tag: int = -1) -> Sentences:
    """The sentences of a file, also of one that ends in .gz.

    Args:
        path: Of the file.
        word: Place of the word on a line, from 0.
        tag: Place of its tag; -1 is the last.

    Raises:
        DataError: A line has fewer columns, or the file cannot be read or has no sentence.
    """
    found = Sentences([], [], [])
    words: list[str] = []
    tags: list[str] = []
    document, least = 0, max(word, tag if tag >= 0 else 1) + 1
    lines = _lines(path)
    commented = any("\t" in line for line in lines)  # where words have tabs, comments have none
    for number, line in enumerate([*lines, ""], 1):
        if commented and line.startswith("#") and "\t" not in line:
            continue
        cells = [cell for cell in _BLANKS.split(line) if cell]
        if word and cells and _NO_WORD.fullmatch(cells[0]):
            continue
        border = _DOCUMENT in (cells[:1] + cells[word : word + 1])
        if cells and not border and len(cells) < least:
            raise DataError(
                f"{path} line {number}", f"a word and its tag, {least} columns or more", repr(line)
            )
        if cells and not border:
            words.append(cells[word])
            tags.append(cells[tag])
        elif words:
            found.words.append(words)
            found.tags.append(tags)
            found.documents.append(document)
            words, tags = [], []
        document += border
    if not found.words:
        raise DataError(str(path), "words on lines, with their tags", "none")
    return found


def _lines(path: Path) -> list[str]:
    try:
        content = read_bytes(path, BYTES)
        if path.suffix == ".gz":
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(BYTES + 1)
            if len(content) > BYTES:
                raise DataError(str(path), f"at most {BYTES:,} bytes when unpacked", "more", "part it")
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    except IntertaskError as error:
        raise DataError(error.where, error.expected, error.found, error.hint) from None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(str(path), "text in UTF-8", str(error)) from None
