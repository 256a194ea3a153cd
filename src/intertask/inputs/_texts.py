"""What reads texts as tokens, with the tokenizer of an encoder or with one that training rows gave."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field, StrictBool, StrictInt, StrictStr, field_validator

from intertask.data.rows import Rows
from intertask.inputs import Kind
from intertask.inputs import Reader as AnyReader
from intertask.inputs import _pieces as pieces
from intertask.inputs._tokens import Tokens
from intertask.texts import tokens
from intertask.texts.pretrained import tokenizer_of
from intertask.texts.tokens import Unit, Words

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Reader(AnyReader):
    """Reads texts as tokens.

    Args:
        texts: The columns.
        unit: What has a place: a token, or a word or character that whoever made the data has parted.
        tokenizer: As JSON of the library `tokenizers`.
        encoder: The config of a pretrained encoder; None without one.
        weights: SHA-256 of that encoder.
        max_tokens: Most tokens of a text.
        context: Texts before and behind that are read with each.
        case: Whether it reads how words are written.
        alphabet: Letters that it reads; none where it reads words alone.
        rows: Training texts.
        cut: Those of which something was cut off.
        empty: Those without a word.
    """

    texts: tuple[StrictStr, ...] = Field(min_length=1, max_length=100)
    unit: Unit
    tokenizer: StrictStr = Field(max_length=64 << 20)
    encoder: dict[str, Any] | None = None
    weights: StrictStr | None = Field(default=None, max_length=100)
    max_tokens: StrictInt = Field(ge=4, le=8_192)
    context: StrictInt = Field(default=0, ge=0, le=100)
    case: StrictBool = False
    alphabet: StrictStr = Field(default="", max_length=100_000)
    rows: StrictInt = Field(default=0, ge=0, lt=2**53)
    cut: StrictInt = Field(default=0, ge=0, lt=2**53)
    empty: StrictInt = Field(default=0, ge=0, lt=2**53)

    @field_validator("tokenizer")
    @classmethod
    def _can_be_read(cls, tokenizer: str) -> str:
        tokenizer_of(tokenizer)
        return tokenizer

    @property
    def columns(self) -> Mapping[str, Kind]:
        """The columns."""
        return dict.fromkeys(self.texts, "text")

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        return tokenizer_of(self.tokenizer)

    @property
    def num_tokens(self) -> int:
        """Tokens that it can write."""
        vocabulary: Mapping[str, int] = self._tokenizer.get_vocab(with_added_tokens=True)
        return max(vocabulary.values(), default=0) + 1

    def encoded(self, texts: Sequence[Words], borders: Sequence[object] | None) -> tokens.Encoded:
        """The tokens of texts."""
        parted = [pieces.parted(words, self.unit) for words in texts]
        return tokens.encoded(parted, self._tokenizer, self.max_tokens, self.unit, self.context, borders)

    def counted(self, rows: Rows, columns: tuple[str, ...]) -> "Reader":
        """The same as it reads the rows that train, some columns of them, and with what it says of these."""
        texts = pieces.texts(rows, columns)
        found = self.encoded(texts, pieces.borders(rows))
        own = {
            "texts": columns,
            "rows": len(texts),
            "cut": int(found.cut.sum()),
            "empty": sum(not any(word.strip() for word in words) for words in texts),
        }
        return self.model_copy(update=own)

    def read(self, rows: Rows) -> Tokens:
        """The tokens of rows."""
        found = self.encoded(pieces.texts(rows, self.texts), pieces.borders(rows))
        return Tokens(
            torch.from_numpy(found.codes),
            torch.from_numpy(found.begins),
            torch.from_numpy(found.lengths),
            torch.from_numpy(tokens.cases(found)) if self.case else None,
            torch.from_numpy(tokens.letters(found, self.alphabet)) if self.alphabet else None,
        )

    def notes(self) -> tuple[str, ...]:
        """What was cut off, and what was empty."""
        told = []
        if self.cut:
            told.append(
                f"{self.cut:,} of {self.rows:,} training texts are longer than max_tokens = "
                f"{self.max_tokens} tokens; what is behind was cut off"
            )
        if self.empty:
            told.append(f"{self.empty:,} of {self.rows:,} training texts are empty")
        return tuple(told)
