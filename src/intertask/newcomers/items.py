"""New items: recommendable by their content the moment they are known, and what to expect of them.

Nothing is trained. What the catalogue says of an item becomes its vector as it does for the items that were
trained on, with their whitening and their words.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from intertask.answering import newness
from intertask.answering.answerer import Answerer
from intertask.content.described import Described
from intertask.content.reader import Read
from intertask.data import tables
from intertask.data.catalogue import Catalogue
from intertask.data.corpus import joined
from intertask.data.tables import Source
from intertask.errors import IntertaskError, RequestError
from intertask.events.requests import Asked, encoded
from intertask.newcomers.growing import described_of, grown, vectors_of
from intertask.nn.best import best_items
from intertask.options.seeds import generator

NEAR = 3  # known items that are named for a new one
LISTS, PLACES = 256, 10  # of the lists by which its share is estimated
SHOWN = 200  # characters of a text


@dataclass(frozen=True)
class Joined:
    """A model with more items, or with other content of those that it has.

    Args:
        answerer: With the items.
        places: Their indices.
        fresh: Which of them it did not have, bool.
        read: What was read of them.
    """

    answerer: Answerer
    places: NDArray[np.int32]
    fresh: NDArray[np.bool_]
    read: Read


@dataclass(frozen=True)
class Added:
    """What came of it.

    Args:
        answerer: With the items.
        frame: A row for each of them.
        share: Of the places of lists that all new items take.
        break_even: How often an item that a new one displaces would have been had, of a list's place.
    """

    answerer: Answerer
    frame: pl.DataFrame
    share: float
    break_even: float

    def words(self) -> str:
        """One line for the terminal; empty where there are no lists to estimate from."""
        if not np.isfinite(self.share):
            return ""
        pays = (
            f"; they pay where {1_000 * self.break_even:.2f} in 1,000 of those places lead to an event"
            if self.break_even > 0
            else ""
        )
        return f"new items take {100 * self.share:.1f} % of the places of lists of {PLACES}{pays}"


def add(answerer: Answerer, task: str, source: Source) -> Added:
    """Items of a frame or a file, added or updated.

    Args:
        answerer: A model that reads content.
        task: Which ranks, by which shares are estimated.
        source: A column `item`, and columns as those of the catalogue; any of them may be missing.

    Raises:
        RequestError: The model reads no content, the frame has none of its columns, or the encoder of its
            texts is not here.
        DataError: The frame cannot be read.
    """
    made = joining(answerer, source)
    if bare := int((~made.read.has_N).sum()):
        told = f"{bare:,} of {len(made.places):,} items have no content that the model reads"
        warnings.warn(f"{told}: no list holds them", stacklevel=3)
    return _told(made.answerer, task, made.places, made.fresh, made.read)


def joining(answerer: Answerer, source: Source) -> Joined:
    """The model with the items, and nothing of what to expect of them; arguments and errors as for `add`."""
    described, catalogue = described_of(answerer), answerer.catalogue
    assert catalogue is not None
    incoming = _read(source, catalogue)
    if not len(incoming):
        raise RequestError("add_items", "at least one item", "none", "a row for each item")
    vocabulary = answerer.reader.items
    ids = incoming.frame["item"]
    places = encoded(vocabulary, ids)
    fresh = places < 0
    described.reader.refuse_others(incoming.frame)
    try:
        read = described.reader.read(incoming.frame, vectors_of(answerer))
    except IntertaskError as error:
        raise RequestError(
            "add_items",
            f"the encoder {described.reader.found.encoder!r}, which made the texts of the training items",
            error.found,
            error.hint or "fetch it first",
        ) from None
    places[fresh] = len(vocabulary) + np.arange(int(fresh.sum()))
    after = grown(
        answerer,
        _with(described, read, places, int(fresh.sum())),
        ids.filter(pl.Series(fresh)),
        _merged(catalogue, incoming, answerer),
    )
    return Joined(after, places, fresh, read)


def _read(source: Source, catalogue: Catalogue) -> Catalogue:
    """The rows, with columns of nulls where they lack one of the catalogue's."""
    table = tables.scan(source, name=None if isinstance(source, str) else "add_items")
    table.require("item", "item")
    roles = catalogue.roles()
    there = set(table.schema)
    wanted = [name for names in roles.values() for name in names]
    if not there & set(wanted):
        raise RequestError(
            "add_items", f"some of the columns {', '.join(wanted)}", f"the columns {', '.join(sorted(there))}"
        )
    text, tags, categories, numbers, vectors = (
        [name for name in roles.get(role, ()) if name in there]
        for role in ("text", "tags", "categories", "numbers", "vectors")
    )
    found = Catalogue.read(
        table.rows.select(name for name in table.schema if name in {"item", *wanted}),
        text=text,
        tags=tags,
        categories=categories,
        numbers=numbers,
        image=catalogue.image if catalogue.image in there else None,
        vectors=vectors,
        name=table.name,
    )
    if found.report.refused:
        warnings.warn(found.report.summary(), stacklevel=4)
    lacking = [name for name in wanted if name not in there]
    kinds = catalogue.frame.schema
    frame = found.frame.with_columns(
        *(
            (
                pl.lit([], dtype=kinds[name]) if name in catalogue.tags else pl.lit(None, dtype=kinds[name])
            ).alias(name)
            for name in lacking
        )
    ).select(catalogue.frame.columns)
    return replace(catalogue, frame=frame, report=found.report)


def _merged(catalogue: Catalogue, incoming: Catalogue, answerer: Answerer) -> Catalogue:
    """The catalogue with rows that replace those of the same items."""
    old = catalogue.frame
    ids, further = old["item"], incoming.frame["item"]
    both = joined(ids, further)
    kept = ~ids.cast(pl.String).is_in(further.cast(pl.String).implode())
    frame = pl.concat(
        [
            old.with_columns(both[: len(ids)].alias("item")).filter(kept),
            incoming.frame.with_columns(both[len(ids) :].alias("item")),
        ]
    )
    return replace(catalogue, frame=frame)


def _with(described: Described, read: Read, places: NDArray[np.int32], extra: int) -> Described:
    """The items with what was read of some."""
    features = np.pad(described.features_IF, ((0, extra), (0, 0)))
    has = np.pad(described.has_I, (0, extra))
    features[places], has[places] = read.features_NF, read.has_N
    return replace(
        described,
        features_IF=features,
        has_I=has,
        evidence_I=np.pad(described.evidence_I, (0, extra)),
        learned_I=np.pad(described.learned_I, (0, extra)),
    )


def _told(
    after: Answerer, task: str, places: NDArray[np.int32], fresh: NDArray[np.bool_], read: Read
) -> Added:
    vocabulary = after.reader.items
    shares, share, break_even = _shares(after, task, places)
    frame = pl.DataFrame(
        {
            "item": vocabulary.decode(places),
            "added": fresh,
            "text": [text[:SHOWN] if text else None for text in read.texts],
            "nearest": _nearest(after, places),
            "share": shares,
        },
        schema_overrides={"text": pl.String},
    )
    return Added(after, frame, share, break_even)


def _nearest(after: Answerer, places: NDArray[np.int32]) -> pl.Series:
    """The trained items whose vectors are most alike."""
    untrained = torch.from_numpy(~after.trained)
    step = max(1, 2**22 // len(after.reader.items))
    found = []
    for start in range(0, len(places), step):
        ranked = after.similar(places[start : start + step], min(NEAR, len(untrained)), untrained)
        for place, items, filled in zip(
            places[start : start + step], ranked.items_BK, ranked.filled_BK, strict=True
        ):
            near = items[filled] if after.known[place] else items[:0]  # without content it is like nothing
            found.append(after.reader.items.decode(near).to_list())
    return pl.Series("nearest", found, dtype=pl.List(after.reader.items.ids.dtype))


def _shares(after: Answerer, task: str, places: NDArray[np.int32]) -> tuple[list[float | None], float, float]:
    """The share of lists that hold each item, the places that new items take, and what those would bring."""
    asked = _sample(after)
    if asked is None:
        return [None] * len(places), float("nan"), float("nan")
    mixed = after.ranker is not None and after.ranker.mixer(task, "kept") is not None
    scores_BI = after.scores(asked, task, seen=False if mixed else None)
    scores_BI[:, torch.from_numpy(~after.known)] = float("-inf")
    trained = torch.from_numpy(after.trained)
    k = min(PLACES, int(after.known.sum()))
    if after.new_item_share < 1:
        most_B = newness.places(asked.sequences, asked.windows, k, after.new_item_share)
        newness.bound(scores_BI, ~after.trained, most_B)
    _, items_BK = best_items(scores_BI, k)
    listed = np.bincount(items_BK.flatten().numpy(), minlength=len(trained)) / len(items_BK)
    new_BK = ~trained[items_BK]
    warm_BI = scores_BI.masked_fill(~trained, float("-inf"))
    # A mixture is learned by likelihood, and so is calibrated.
    shares_BI = warm_BI.log_softmax(1) if mixed else after.model.task(task).log_shares(warm_BI)
    chances = shares_BI.exp().topk(min(k, int(trained.sum()))).values
    # The new items of a list take the places of as many at the end of the list without them.
    displaced = torch.arange(chances.shape[1]) >= k - new_BK.sum(1, keepdim=True)
    break_even = float(chances[displaced].mean()) if bool(displaced.any()) else float("nan")
    return listed[places].tolist(), float(new_BK.double().mean()), break_even


def _sample(after: Answerer) -> Asked | None:
    """Some of the users whose events are stored."""
    reader = after.reader
    there = np.flatnonzero(reader.stored.lengths > 0)
    if not len(there) or not len(reader.users):
        return None
    drawn = np.sort(generator(0, "shares of lists").permutation(there)[:LISTS])
    return reader.read(reader.users.decode(drawn), None)
