"""Texts as flat arrays of tokens: what each says, which words they begin, how these are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Unit = Literal["text", "words", "characters"]
Words = Sequence[str]
# How a word is written, by code; 0 is no word.
NO_WORD, LOWER, TITLE, UPPER, LETTER, MIXED, DIGITS, WITH_DIGIT, MARK = range(9)
NUM_CASES = 9
LETTERS = 16  # of a word, that are read one by one


@dataclass(frozen=True)
class Encoded:
    """Tokens of texts, flat.

    Args:
        codes: int64, of all texts.
        lengths: int64, tokens of each text.
        begins: bool, whether a token begins a word of the text itself; of texts in one piece all are True.
        words: int32, place of the token's word in `spelt`; -1 for the marks of an encoder.
        spelt: The words of all texts, or their tokens as they are written.
        cut: bool, whether something of a text did not fit.
    """

    codes: NDArray[np.int64]
    lengths: NDArray[np.int64]
    begins: NDArray[np.bool_]
    words: NDArray[np.int32]
    spelt: list[str]
    cut: NDArray[np.bool_]


@dataclass(frozen=True)
class _Text:
    codes: list[int]
    words: list[int]  # of each token, its word
    spelt: list[str]


def encoded(
    texts: Sequence[Words],
    tokenizer: "Tokenizer",
    most: int,
    unit: Unit,
    context: int = 0,
    borders: Sequence[object] | None = None,
) -> Encoded:
    """The tokens of texts, with what the encoder puts around each.

    Args:
        texts: Each in pieces; a text without any is empty.
        tokenizer: Neither cuts nor pads.
        most: Tokens of a text; what is behind them is cut off.
        unit: What has a place: each token, or each word or character.
        context: Texts before and behind that are read with each, as far as they fit.
        borders: What each text belongs to; texts of others are no context.
    """
    before, behind = _marks(tokenizer)
    told = _tokens(texts, tokenizer, unit)
    parts: list[NDArray[np.int64]] = []
    begins: list[NDArray[np.bool_]] = []
    words: list[NDArray[np.int32]] = []
    spelt: list[str] = []
    cut = np.zeros(len(told), np.bool_)
    for place, text in enumerate(told):
        room = max(1, most - len(before) - len(behind))
        own, owner = text.codes[:room], text.words[:room]
        cut[place] = len(text.codes) > room
        left, right = _context(told, place, context, room - len(own), borders)
        codes = [*before, *left, *own, *right, *behind] or [0]
        first = len(before) + len(left)
        at = np.full(len(codes), -1, np.int32)
        at[first : first + len(own)] = np.array(owner, np.int32) + len(spelt)
        begin = np.ones(len(codes), np.bool_)
        if unit != "text":
            begin[:] = False
            begin[first : first + len(own)] = np.diff(np.array([-1, *owner])) > 0
            begin[0] |= not begin.any()  # a text without words has one place
        parts.append(np.array(codes, np.int64))
        begins.append(begin)
        words.append(at)
        spelt += text.spelt
    lengths = np.array([len(own) for own in parts], np.int64)
    return Encoded(
        _flat(parts, np.int64), lengths, _flat(begins, np.bool_), _flat(words, np.int32), spelt, cut
    )


def _flat(parts: Sequence[NDArray[np.generic]], kind: type) -> NDArray:  # type: ignore[type-arg]
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _marks(tokenizer: "Tokenizer") -> tuple[list[int], list[int]]:
    """The tokens that an encoder puts before and behind a text."""
    found = tokenizer.encode("a")
    real = [place for place, mark in enumerate(found.special_tokens_mask) if not mark]
    if not real:
        return found.ids, []
    return found.ids[: real[0]], found.ids[real[-1] + 1 :]


def _tokens(texts: Sequence[Words], tokenizer: "Tokenizer", unit: Unit) -> list[_Text]:
    if unit == "text":
        whole = [clean(" ".join(pieces)) for pieces in texts]
        found = tokenizer.encode_batch(whole, add_special_tokens=False)
        return [_spelt(own, text) for own, text in zip(found, whole, strict=True)]
    given = [[clean(word) for word in pieces] for pieces in texts]
    found = tokenizer.encode_batch(given, is_pretokenized=True, add_special_tokens=False)
    return [_of_words(own, pieces, tokenizer) for own, pieces in zip(found, given, strict=True)]


def _spelt(found: "Encoding", text: str) -> _Text:
    return _Text(found.ids, list(range(len(found.ids))), [text[a:b].strip() for a, b in found.offsets])


def _of_words(found: "Encoding", pieces: list[str], tokenizer: "Tokenizer") -> _Text:
    """Each word has a token at least: one that the tokenizer drops is read as unknown."""
    owners = [-1 if own is None else own for own in found.word_ids]
    if len(set(owners)) == len(pieces):
        return _Text(found.ids, owners, pieces)
    unknown = _unknown(tokenizer)
    by_word: list[list[int]] = [[] for _ in pieces]
    for code, owner in zip(found.ids, owners, strict=True):
        by_word[owner].append(code)
    codes = [own or [unknown] for own in by_word]
    owners = [place for place, own in enumerate(codes) for _ in own]
    return _Text([code for own in codes for code in own], owners, pieces)


def _unknown(tokenizer: "Tokenizer") -> int:
    for word in ("[UNK]", "<unk>", "[MASK]", "<mask>"):
        if (code := tokenizer.token_to_id(word)) is not None:
            return int(code)
    return 0


def _context(
    told: Sequence[_Text], place: int, context: int, room: int, borders: Sequence[object] | None
) -> tuple[list[int], list[int]]:
    """Tokens of the texts around one, the nearest first to be taken, half of the room on each side."""
    left: list[int] = []
    right: list[int] = []
    for step in range(1, context + 1):
        for side, other in ((left, place - step), (right, place + step)):
            if not 0 <= other < len(told) or (borders is not None and borders[other] != borders[place]):
                continue
            free = room // 2 - len(side)
            codes = told[other].codes
            if free > 0 and side is left:
                left[:0] = codes[-free:]
            elif free > 0:
                right += codes[:free]
    return left, right


def clean(text: str) -> str:
    """A text without halves of characters, which JSON may hold and no tokenizer reads."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def case_of(word: str) -> int:
    """How a word is written."""
    if not word:
        return NO_WORD
    letters = [letter for letter in word if letter.isalpha()]
    if any(letter.isdigit() for letter in word):
        return WITH_DIGIT if letters else DIGITS
    if not letters:
        return MARK
    if word.islower() or not (word.isupper() or any(letter.isupper() for letter in word)):
        return LOWER
    if word.isupper():
        return UPPER if len(letters) > 1 else LETTER
    return TITLE if word[0].isupper() and word[1:].islower() else MIXED


def cases(found: Encoded) -> NDArray[np.int64]:
    """How the word of each token is written."""
    known: dict[str, int] = {}
    for word in found.spelt:
        if word not in known:
            known[word] = case_of(word)
    own = np.array([*(known[word] for word in found.spelt), NO_WORD], np.int64)
    return own[found.words]


def letters(found: Encoded, alphabet: str) -> NDArray[np.int64]:
    """Codes of the first letters of each token's word, [tokens, LETTERS]: 0 for none, 1 if unknown."""
    code_of = {letter: code for code, letter in enumerate(alphabet, 2)}
    table = np.zeros((len(found.spelt) + 1, LETTERS), np.int64)
    for place, word in enumerate(found.spelt):
        codes = [code_of.get(letter, 1) for letter in word[:LETTERS]]
        table[place, : len(codes)] = codes
    return table[found.words]
