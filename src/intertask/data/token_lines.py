"""Files with a word on each line, its tag behind it, and a blank line between sentences, as CoNLL's."""

import gzip
from dataclasses import dataclass
from pathlib import Path

from intertask.errors import DataError, IntertaskError
from intertask.storage.untrusted import read_bytes

BYTES = 1 << 30  # of one file
_DOCUMENT = "-DOCSTART-"


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
    for number, line in enumerate([*_lines(path), ""], 1):
        cells = line.split()
        border = bool(cells) and cells[0] == _DOCUMENT
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
            content = gzip.decompress(content)
        return content.decode("utf-8-sig").split("\n")
    except IntertaskError as error:
        raise DataError(error.where, error.expected, error.found, error.hint) from None
    except (OSError, EOFError, ValueError) as error:
        raise DataError(str(path), "text in UTF-8", str(error)) from None
