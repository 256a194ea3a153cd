"""People without a single event: what they say of their taste becomes items that a model can read."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.answering.answerer import Answerer
from intertask.content.described import Described
from intertask.errors import RequestError
from intertask.newcomers.growing import described_of, vectors_of
from intertask.options import arguments

POPULAR = 0.05  # of a cosine: of items that fit alike the more frequent one says more


def stated(
    answerer: Answerer, text: str | None, tags: Sequence[str], liked: object, k: int
) -> list[str] | list[int]:
    """Items that stand for what somebody says, the most telling last; see `Recommender.stated`."""
    chosen: list[int] = []
    if liked is not None:
        chosen = answerer.reader.item_places(liked, "liked").tolist()
    if text or tags:
        described = described_of(answerer)
        alike = _alike(answerer, described, text, tags)
        fitting = np.argsort(alike, kind="stable")[::-1][:k][::-1]
        fitting = fitting[np.isfinite(alike[fitting])]
        chosen = [place for place in fitting.tolist() if place not in chosen] + chosen
    if not chosen:
        raise RequestError(
            "stated", "a text, tags or liked items that the model knows something of", "none", "say more"
        )
    ids: list[str] | list[int] = answerer.reader.items.decode(np.array(chosen)).to_list()
    return ids


def _alike(
    answerer: Answerer, described: Described, text: str | None, tags: Sequence[str]
) -> NDArray[np.float64]:
    """How well each trained item fits, -inf of all others, or of all where nothing was understood."""
    assert answerer.catalogue is not None
    schema = answerer.catalogue.frame.schema
    row: dict[str, object] = dict.fromkeys(schema)
    row |= {name: [] for name in answerer.catalogue.tags}
    if text and described.reader.found.text:
        row[described.reader.found.text[0]] = text
    row |= {name: list(tags) for name in described.reader.found.tags}
    read = described.reader.read(
        pl.DataFrame({name: [value] for name, value in row.items()}, schema=schema),
        vectors_of(answerer),
    )
    asked = read.features_NF[0].copy()
    asked[np.cumsum(list(described.reader.found.blocks.values())) - 1] = 0  # that something was not said
    cosines = (described.features_IF @ asked).astype(np.float64)
    counts = np.log1p(answerer.popularity.sum(0))
    fits = cosines + POPULAR * counts / max(1.0, float(counts.max())) * np.linalg.norm(asked)
    return np.where(described.learned_I & bool(read.has_N[0]) & (cosines > 0), fits, -np.inf)


def words_of(tags: object) -> tuple[str, ...]:
    """Tags as they were given.

    Raises:
        RequestError: They are no list of words.
    """
    given = arguments.elements(tags, "tags", "a list of words", "pass tags=[...]")
    return tuple(arguments.word(tag, "tags", "a list of words") for tag in given)
