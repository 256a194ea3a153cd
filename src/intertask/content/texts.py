"""The texts of items as vectors: by a frozen encoder, or by hashed words and n-grams where there is none.

Vectors of an encoder are kept on disk by the content of text and encoder.
"""

import html
import re
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.fetch import cache
from intertask.errors import IntertaskError, RecipeError, WriteError
from intertask.terminal.progress import remark

Vectors = Callable[[Sequence[str]], NDArray[np.float32]]  # texts -> float32 [texts, numbers]

HASHED = "hashed"  # in place of an encoder's name
HASHED_WIDTH = 1024
LONGEST = 2_000  # characters of an item that are read: more than any encoder here takes
_TAG, _BLANKS = re.compile(r"<[^<>]{0,1000}>"), re.compile(r"\s+")
_AT_ONCE = 4_096


def cleaned(text: str) -> str:
    """A text without markup and repeated blanks, of at most `LONGEST` characters.

    Example:
        >>> cleaned("<b>Red&nbsp;mug</b> ")
        'Red mug'
    """
    plain = html.unescape(_TAG.sub(" ", text[: 4 * LONGEST]))
    return _BLANKS.sub(" ", plain).strip()[:LONGEST].strip()


def texts_of(rows: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """The text of each item, its columns in order; empty where it has none.

    Args:
        rows: A row for each item.
        columns: Of text, the title first.
    """
    read = [[cleaned(text) if text else "" for text in rows[column]] for column in columns]
    return [". ".join(filter(None, parts)) for parts in zip(*read, strict=True)] or [""] * rows.height


def hashed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Words, pairs of words and parts of words of 3 to 5 characters, counted by hash, [texts, numbers].

    Knows no language, and that two words mean the same only where they share letters.

    Source: Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009.
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    found = np.zeros((len(texts), HASHED_WIDTH), np.float32)
    kinds = [
        HashingVectorizer(analyzer=analyzer, ngram_range=lengths, n_features=HASHED_WIDTH, dtype=np.float32)
        for analyzer, lengths in (("word", (1, 2)), ("char_wb", (3, 5)))
    ]
    for start in range(0, len(texts), _AT_ONCE):
        # Signs alone are no word, and their parts would share their places with those of words.
        some = [text if any(map(str.isalnum, text)) else "" for text in texts[start : start + _AT_ONCE]]
        for kind in kinds:
            found[start : start + len(some)] += kind.transform(some).toarray()
    return found


def encoder_at_hand(name: str, *, strict: bool = False) -> str:
    """The encoder of this name, or `HASHED` where it cannot be had, which a line then says.

    Args:
        name: Of a pretrained encoder on the hub, its folder, or `HASHED`.
        strict: Refuse to do without it.

    Raises:
        RecipeError: It cannot be had, and `strict` is set.
    """
    if name == HASHED:
        return name
    from intertask.texts import pretrained

    try:
        pretrained.find(name)
    except IntertaskError as error:
        if strict:
            raise RecipeError(
                f"[items] encoder {name!r}",
                "an encoder that is here",
                error.found,
                error.hint or "name another",
            ) from None
        remark(f"no encoder {name!r} is here: texts of items are read as words and parts of words instead")
        return HASHED
    return name


def vectors_by(encoder: str) -> Vectors:
    """What makes vectors of texts by an encoder, or by `hashed`."""
    if encoder == HASHED:
        return hashed
    from intertask.texts.frozen import embed

    def made(texts: Sequence[str]) -> NDArray[np.float32]:
        try:
            return embed(texts, encoder, cache=cache() / "texts")
        except WriteError:  # a folder that cannot be written to costs time, and nothing else
            return embed(texts, encoder)

    return made
