"""The items of a log as their catalogue describes them, and what the log knows of each."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.content.reader import ContentReader
from intertask.content.texts import encoder_at_hand, vectors_by
from intertask.data.catalogue import Catalogue


@dataclass(frozen=True)
class Described:
    """Items with their content.

    Args:
        reader: Fitted on the training items.
        features_IF: float32, the content of each item.
        has_I: Whether an item has any, bool.
        evidence_I: Training events of each item, int64; of one that came later those that it was warmed by.
        learned_I: Items that were trained, bool: the others came without an event, or later.
    """

    reader: ContentReader
    features_IF: NDArray[np.float32]
    has_I: NDArray[np.bool_]
    evidence_I: NDArray[np.int64]
    learned_I: NDArray[np.bool_]

    @property
    def num_features(self) -> int:
        """Numbers that describe an item."""
        return int(self.features_IF.shape[1])

    def directions(self) -> NDArray[np.float32]:
        """The content of each item as a row of length one, zeros without any: products are cosines."""
        lengths_I1 = np.linalg.norm(self.features_IF, axis=1, keepdims=True)
        known_I1 = self.has_I[:, None] & (lengths_I1 > 1e-9)
        return np.asarray(np.where(known_I1, self.features_IF / lengths_I1.clip(min=1e-9), 0), np.float32)


def describe(
    catalogue: Catalogue,
    ids: pl.Series,
    counts_I: NDArray[np.int64],
    encoder: str,
    width: int,
    *,
    scale: bool,
    strict: bool,
) -> Described:
    """The items of a vocabulary with their content, of which training items alone say what it means.

    Args:
        catalogue: What there is.
        ids: Of the vocabulary.
        counts_I: Training events of each.
        encoder: Of the texts.
        width: Numbers of a text's vector that are left.
        scale: Whether its directions are made equally wide.
        strict: Refuse to do without the encoder.

    Raises:
        RecipeError: The encoder cannot be had, and `strict` is set.
    """
    learned_I = counts_I > 0
    rows = catalogue.rows(ids)
    name = encoder_at_hand(encoder, strict=strict) if catalogue.text else encoder
    vectors = vectors_by(name)
    reader = ContentReader.fit(
        catalogue, rows.filter(pl.Series(learned_I)), name, vectors, width, scale=scale
    )
    read = reader.read(rows, vectors)
    return Described(reader, read.features_NF, read.has_N, counts_I.astype(np.int64), learned_I)
