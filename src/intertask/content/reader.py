"""What has been found in the catalogue's rows of training items, and how it turns a row into numbers.

One block of numbers for each kind of content: the whitened text, each column of categories, of tags, of
numbers and of whitened vectors. A block has length one, or a mark of its own where the item lacks that
content.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from intertask.content.texts import HASHED, Vectors, texts_of
from intertask.content.whitening import Whitening
from intertask.data.catalogue import Catalogue
from intertask.errors import RequestError
from intertask.options.config import Config

MOST_WORDS = 256  # of a column of categories or tags, the most frequent ones
MARK_FROM = 1e-9  # length of a block below which it says nothing
FURTHEST = 3.0  # standard deviations from the mean that a number may lie


Width = Annotated[int, Field(ge=1, le=65_536)]


class Own(Config):
    """An encoder of texts whose upper layers a model has learned, as JSON keeps it.

    Args:
        config: As its folder said it.
        max_length: Most tokens of a text.
        tokenizer: Bytes of the tokenizer, which is kept beside the numbers.
    """

    config: dict[str, Any]
    max_length: int = Field(ge=3, le=8_192)
    tokenizer: int = Field(ge=1, le=64 << 20)


class Found(Config):
    """What was found, as JSON keeps it.

    Args:
        text: Columns of text, the title first.
        encoder: What made the vectors of the texts.
        encoded: Numbers of such a vector; 0 without text.
        width: Numbers of a whitened text.
        categories: The words of each column of categories.
        tags: The words of each column of tags.
        numbers: Mean and standard deviation of each column of numbers, after a logarithm.
        vectors: Numbers of each column of vectors, as they are given and as they are kept.
        own: The encoder, where the model has learned it further; None where it is as it was.
    """

    text: tuple[str, ...] = ()
    encoder: str = Field(default=HASHED, max_length=1_000)
    encoded: int = Field(default=0, ge=0, le=65_536)
    width: int = Field(default=0, ge=0, le=4_096)
    categories: dict[str, tuple[str, ...]] = {}
    tags: dict[str, tuple[str, ...]] = {}
    numbers: dict[str, tuple[float, float]] = {}
    vectors: dict[str, tuple[Width, Width]] = {}
    own: Own | None = None

    @property
    def blocks(self) -> dict[str, int]:
        """Numbers of each block, its mark included."""
        sizes = {"text": self.width} if self.text else {}
        sizes |= {f"categories {name}": len(words) for name, words in self.categories.items()}
        sizes |= {f"tags {name}": len(words) for name, words in self.tags.items()}
        sizes |= {f"numbers {name}": 1 for name in self.numbers}
        sizes |= {f"vectors {name}": kept for name, (_, kept) in self.vectors.items()}
        return {name: size + 1 for name, size in sizes.items()}

    @property
    def num_features(self) -> int:
        """Numbers of an item."""
        return sum(self.blocks.values())


@dataclass(frozen=True)
class Read:
    """The content of some items.

    Args:
        features_NF: float32.
        texts: As they were read; empty where there was none.
        has_N: Whether there is any content, bool.
    """

    features_NF: NDArray[np.float32]
    texts: list[str]
    has_N: NDArray[np.bool_]


@dataclass(frozen=True)
class ContentReader:
    """Reads rows of a catalogue as the training items were read.

    Args:
        found: In the rows of training items.
        whitening: Of their texts; None without text.
        tokenizer: Of an encoder that the model has learned further, as JSON; empty without one.
        turned: The whitening of each column of vectors.
    """

    found: Found
    whitening: Whitening | None = None
    tokenizer: str = ""
    turned: Mapping[str, Whitening] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        rows: pl.DataFrame,
        encoder: str,
        vectors: Vectors,
        width: int,
        *,
        scale: bool = True,
    ) -> "ContentReader":
        """The reader of a catalogue.

        Args:
            catalogue: Says which columns are what.
            rows: Of the training items, and no others.
            encoder: The name of what makes vectors of texts.
            vectors: Makes them.
            width: Numbers of a whitened text or vector.
            scale: Whether its directions are made equally wide.
        """
        whitening = None
        texts = [text for text in texts_of(rows, catalogue.text) if text] if catalogue.text else []
        if texts:
            whitening = Whitening.fit(vectors(texts), width, scale=scale)
        given = {name: _stacked(rows[name].drop_nulls()) for name in catalogue.vectors}
        turned = {
            name: Whitening.fit(known, width, scale=scale) for name, known in given.items() if known.size
        }
        found = Found(
            text=catalogue.text if texts else (),
            encoder=encoder,
            encoded=0 if whitening is None else len(whitening.mean_E),
            width=0 if whitening is None else whitening.map_EP.shape[1],
            categories={name: _frequent(rows[name]) for name in catalogue.categories},
            tags={name: _frequent(rows[name].explode()) for name in catalogue.tags},
            numbers={name: _spread(rows[name]) for name in catalogue.numbers},
            vectors={name: (len(one.mean_E), one.map_EP.shape[1]) for name, one in turned.items()},
        )
        return cls(found, whitening, turned=turned)

    def refuse_others(self, rows: pl.DataFrame) -> None:
        """Refuse items whose vectors are not as long as those of the training items.

        Raises:
            RequestError: There are such.
        """
        for name, (expected, _) in self.found.vectors.items():
            for length in rows[name].drop_nulls().list.len().unique():
                if length != expected:
                    raise RequestError(f"items {name}", f"vectors of {expected} numbers", f"{length} numbers")

    def read(self, rows: pl.DataFrame, vectors: Vectors) -> Read:
        """The content of some items.

        Args:
            rows: One for each, with the columns of the catalogue.
            vectors: Makes vectors of texts, as for the training items.
        """
        blocks, texts = [], [""] * rows.height
        if self.found.text and self.whitening is not None:
            texts = texts_of(rows, self.found.text)
            blocks.append(self._of_texts(texts, vectors))
        columns: list[tuple[Mapping[str, tuple[str, ...]], bool]] = [
            (self.found.categories, False),
            (self.found.tags, True),
        ]
        for named, several in columns:
            blocks += [_of_words(rows[name], words, several) for name, words in named.items()]
        blocks += [_of_numbers(rows[name], *spread) for name, spread in self.found.numbers.items()]
        blocks += [_of_vectors(rows[name], one) for name, one in self.turned.items()]
        if not blocks:
            return Read(np.zeros((rows.height, 0), np.float32), texts, np.zeros(rows.height, np.bool_))
        has = np.any([block[:, -1] == 0 for block in blocks], axis=0)
        features = np.concatenate(blocks, axis=1) / np.float32(len(blocks) ** 0.5)
        return Read(features, texts, np.asarray(has, np.bool_))

    def _of_texts(self, texts: list[str], vectors: Vectors) -> NDArray[np.float32]:
        assert self.whitening is not None
        there = np.flatnonzero([bool(text) for text in texts])
        block = np.zeros((len(texts), self.found.width), np.float32)
        if len(there):
            made = vectors([texts[place] for place in there])
            if made.shape[1] != self.found.encoded:
                raise RequestError(
                    "texts of items",
                    f"vectors of {self.found.encoded} numbers by {self.found.encoder}",
                    f"{made.shape[1]} numbers",
                    "use the encoder that the model was trained with",
                )
            # Hashed words that no training item has would all be read as the same: as far from every item.
            heard = ((made != 0) & (self.whitening.mean_E != 0)).any(axis=1)
            block[there[heard]] = self.whitening(made[heard])
        return _marked(block)


def _frequent(words: pl.Series) -> tuple[str, ...]:
    """The most frequent words, in the order of their names."""
    counts = (
        words.drop_nulls().value_counts(name="times").sort(["times", words.name], descending=[True, False])
    )
    return tuple(sorted(counts[words.name].head(MOST_WORDS).to_list()))


def _spread(numbers: pl.Series) -> tuple[float, float]:
    known = _logarithm(numbers.drop_nulls().to_numpy())
    if not len(known):
        return 0.0, 1.0
    return float(known.mean()), float(known.std()) or 1.0


def _logarithm(numbers: NDArray[np.generic]) -> NDArray[np.float64]:
    """Of prices and counts, whose ratios matter; sign kept."""
    wide = numbers.astype(np.float64)
    return np.asarray(np.sign(wide) * np.log1p(np.abs(wide)))


def _of_numbers(numbers: pl.Series, mean: float, deviation: float) -> NDArray[np.float32]:
    """Between -1 and 1, and not turned into a direction: its size is what it says."""
    known = numbers.is_not_null().to_numpy()
    values = (_logarithm(numbers.fill_null(0).to_numpy()) - mean) / max(deviation, 1e-9)
    block = np.zeros((len(numbers), 2), np.float32)
    block[:, 0] = np.where(known, values.clip(-FURTHEST, FURTHEST) / FURTHEST, 0)
    block[:, 1] = ~known
    return block


def _of_vectors(column: pl.Series, whitening: Whitening) -> NDArray[np.float32]:
    there = column.is_not_null().to_numpy()
    known = _stacked(column.drop_nulls())
    block = np.zeros((len(column), whitening.map_EP.shape[1]), np.float32)
    if known.size:
        block[there] = whitening(known)
    return _marked(block)


def _stacked(vectors: pl.Series) -> NDArray[np.float32]:
    """Lists of as many numbers each, [rows, numbers]."""
    return vectors.explode().to_numpy().astype(np.float32).reshape(len(vectors), -1 if len(vectors) else 0)


def _of_words(column: pl.Series, words: tuple[str, ...], several: bool) -> NDArray[np.float32]:
    """A one for each word that is known."""
    places = {word: place for place, word in enumerate(words)}
    block = np.zeros((len(column), len(words)), np.float32)
    for row, value in enumerate(column):
        for word in (value if value is not None else ()) if several else (value,):
            if (place := places.get(word)) is not None:
                block[row, place] = 1
    return _marked(block)


def _marked(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length one, or zeros and a mark behind them."""
    lengths = np.linalg.norm(block, axis=1, keepdims=True)
    empty = lengths < MARK_FROM
    return np.concatenate([block / np.where(empty, 1, lengths), empty.astype(np.float32)], axis=1)
