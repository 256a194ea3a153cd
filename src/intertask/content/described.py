"""The items of a log as their catalogue describes them, and what the log knows of each."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.content.reader import ContentReader, Own
from intertask.content.texts import HASHED, encoder_at_hand, vectors_by
from intertask.data.catalogue import Catalogue
from intertask.errors import RecipeError
from intertask.texts.configs import longest

LEARN = "name the text of [data.catalogue] and an encoder, or take learned_layers = 0"
MOST_TOKENS = 128  # of the text of an item


@dataclass(frozen=True)
class Described:
    """Items with their content.

    Args:
        reader: Fitted on the training items.
        features_IF: float32, the content of each item.
        has_I: Whether an item has any, bool.
        evidence_I: Training events of each item, int64; of one that came later those that it was warmed by.
        learned_I: Items that were trained, bool: the others came without an event, or later.
        texts: Of each item, empty where it has none, while a model learns to read them; None elsewhere.
    """

    reader: ContentReader
    features_IF: NDArray[np.float32]
    has_I: NDArray[np.bool_]
    evidence_I: NDArray[np.int64]
    learned_I: NDArray[np.bool_]
    texts: list[str] | None = None

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
    learned: bool = False,
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
        learned: Whether a model learns the encoder further, which then cannot be done without.

    Raises:
        RecipeError: The encoder cannot be had, and `strict` or `learned` is set; or no text is to be learned.
    """
    if learned and (encoder == HASHED or not catalogue.text):
        found = "no encoder" if encoder == HASHED else "none"
        raise RecipeError("[items] learned_layers", "texts of items, and an encoder of them", found, LEARN)
    learned_I = counts_I > 0
    rows = catalogue.rows(ids)
    name = encoder_at_hand(encoder, strict=strict or learned) if catalogue.text else encoder
    vectors = vectors_by(name)
    reader = ContentReader.fit(
        catalogue, rows.filter(pl.Series(learned_I)), name, vectors, width, scale=scale
    )
    read = reader.read(rows, vectors)
    if learned:
        reader = _with_encoder(reader)
    texts = read.texts if learned else None
    return Described(reader, read.features_NF, read.has_N, counts_I.astype(np.int64), learned_I, texts)


def _with_encoder(reader: ContentReader) -> ContentReader:
    """The same with what is needed to build the encoder again where its folder is not."""
    from intertask.texts import pretrained

    if not reader.found.text:
        raise RecipeError("[items] learned_layers", "texts of items that train", "empty ones alone", LEARN)
    checkpoint = pretrained.find(reader.found.encoder)
    tokenizer = checkpoint.tokenizer.to_str()
    own = Own(
        config=checkpoint.config,
        max_length=min(MOST_TOKENS, longest(checkpoint.config)),
        tokenizer=len(tokenizer.encode()),
    )
    return replace(reader, found=reader.found.model_copy(update={"own": own}), tokenizer=tokenizer)
