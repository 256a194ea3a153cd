"""From an event log to a corpus: ids become indices, events stand in order, user by user.

The order is the log's own, always: by time (or by the order column), and among equals by their place in
the file. An unstable sort here changes a quarter of the test targets of MovieLens-1M.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.catalogue import Catalogue
from intertask.data.corpus import Corpus
from intertask.data.event_log import EventLog
from intertask.data.parquet import read_parquet
from intertask.data.people import People
from intertask.data.sequences import SEQUENCES, Sequences
from intertask.data.vocabulary import Vocabulary
from intertask.errors import DataError, IntertaskError
from intertask.storage.files import Contents, written_aside
from intertask.storage.untrusted import read_json
from intertask.terminal.progress import bar

MAX_BEHAVIOURS = 255
CORPUS = Contents(
    "a prepared log",
    (
        "users.parquet",
        "items.parquet",
        "behaviours.json",
        *(f"sequences/{name}" for name in SEQUENCES.needed),
    ),
    (
        *(f"sequences/{name}" for name in SEQUENCES.further),
        "catalogue.parquet",
        "catalogue.json",
        "people.parquet",
    ),
)
_CHUNK = 1 << 20
_JSON_BYTES = 4 << 20


def prepare(
    events: EventLog,
    folder: Path | None = None,
    catalogue: Catalogue | None = None,
    people: People | None = None,
) -> Corpus:
    """The corpus of a log.

    Users and items are indexed in the order of their ids (numbers by size, text by code point), behaviours
    in the order of their names, so that a log in another row order gives the same indices. Times are kept
    in whole seconds, but order the events at full resolution.

    Args:
        events: The log.
        folder: Where the arrays are written and mapped from; None keeps them in memory.
        catalogue: Its items belong to the vocabulary, and a model reads what it says; None where the ids of
            the log are all that is known.
        people: What is known of users, which a model reads.

    Raises:
        DataError: The log is empty, has one item only, or more than 255 behaviours.
    """
    with bar("preparing", None):
        corpus = _corpus(events)
        if catalogue is not None:
            corpus = corpus.described_by(catalogue)
        corpus = replace(corpus, people=people)
        if folder is None:
            return corpus
        _write(corpus, folder)
        return open_corpus(folder)


def _corpus(events: EventLog) -> Corpus:
    log, source = events.coded, events.report.source
    if log.height == 0:
        raise DataError(source, "at least one event", "an empty log", "check the file and its mapping")
    users, user_of = _index(log["user"])
    items, item_of = _index(log["item"])
    behaviours, behaviour_of = _index(log["behaviour"])
    if len(items) == 1:
        raise DataError(
            source, "at least two items", f"only {items.item()!r}", "is the item column the right one?"
        )
    if len(behaviours) > MAX_BEHAVIOURS:
        raise DataError(
            source,
            f"at most {MAX_BEHAVIOURS} behaviours",
            f"{len(behaviours):,}",
            "is the behaviour column the right one?",
        )
    order = _order(user_of, log)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(user_of, minlength=len(users)))]).astype(np.int64)
    del user_of
    sequences = Sequences(
        offsets=offsets,
        items=item_of[order],
        behaviours=behaviour_of.astype(np.uint8)[order],
        times=_seconds(log["time"])[order] if events.clock == "time" else None,
        num_items=len(items),
        num_behaviours=len(behaviours),
        labels={name: log[name].fill_null(float("nan")).to_numpy()[order] for name in events.labels},
    )
    return Corpus(Vocabulary(users), Vocabulary(items), tuple(behaviours.to_list()), sequences)


def open_corpus(folder: Path) -> Corpus:
    """The corpus that `prepare` wrote to a folder, its arrays mapped, not read.

    Raises:
        DataError: The folder is missing or incomplete.
    """
    sequences = Sequences.open(folder / "sequences")
    file = folder / "behaviours.json"
    try:
        users = Vocabulary.read(folder / "users.parquet", sequences.num_users)
        items = Vocabulary.read(folder / "items.parquet", sequences.num_items)
        behaviours = read_json(file, _JSON_BYTES)
    except IntertaskError as error:
        raise DataError(error.where, error.expected, error.found, error.hint or "prepare it again") from None
    names = [name for name in behaviours if isinstance(name, str)] if isinstance(behaviours, list) else []
    if len(names) != sequences.num_behaviours or len(set(names)) < len(names) or names != behaviours:
        raise DataError(
            str(file), f"{sequences.num_behaviours} names of behaviours", "others", "prepare it again"
        )
    return Corpus(users, items, tuple(names), sequences, _catalogue(folder), _people(folder))


def _catalogue(folder: Path) -> Catalogue | None:
    file = folder / "catalogue.parquet"
    if not file.exists():
        return None
    try:
        roles = read_json(folder / "catalogue.json", _JSON_BYTES)
        if not isinstance(roles, dict) or not all(
            isinstance(columns, list) and all(isinstance(name, str) for name in columns)
            for columns in roles.values()
        ):
            raise DataError(str(folder / "catalogue.json"), "the roles of columns", "others")
        return Catalogue.from_roles(read_parquet(file), roles)
    except IntertaskError as error:
        raise DataError(error.where, error.expected, error.found, error.hint or "prepare it again") from None


def _people(folder: Path) -> People | None:
    file = folder / "people.parquet"
    try:
        return People.of_table(read_parquet(file), str(file)) if file.exists() else None
    except IntertaskError as error:
        raise DataError(error.where, error.expected, error.found, error.hint or "prepare it again") from None


def _write(corpus: Corpus, folder: Path) -> None:
    with written_aside(folder, CORPUS.refuse) as aside:
        aside.mkdir()
        corpus.sequences.write(aside / "sequences")
        for name, vocabulary in (("users", corpus.users), ("items", corpus.items)):
            vocabulary.ids.alias("id").to_frame().write_parquet(aside / f"{name}.parquet")
        text = json.dumps(corpus.behaviours, ensure_ascii=False)
        (aside / "behaviours.json").write_text(text, encoding="utf-8")
        if corpus.catalogue is not None:
            corpus.catalogue.frame.write_parquet(aside / "catalogue.parquet")
            roles = json.dumps(corpus.catalogue.roles(), ensure_ascii=False)
            (aside / "catalogue.json").write_text(roles, encoding="utf-8")
        if corpus.people is not None:
            corpus.people.table().write_parquet(aside / "people.parquet")


def _index(ids: pl.Series) -> tuple[pl.Series, NDArray[np.int32]]:
    """The distinct ids in order, and for every row the place of its id."""
    if ids.dtype == pl.Categorical:
        distinct = ids.unique()
        known = pl.DataFrame({"id": distinct.cast(pl.String), "code": distinct.to_physical()}).sort("id")
        codes = known["code"].to_numpy()
        place_of = np.zeros(int(codes.max()) + 1, dtype=np.int32)
        place_of[codes] = np.arange(len(codes), dtype=np.int32)
        return known["id"], place_of[ids.to_physical().to_numpy()]
    distinct = ids.unique().sort()
    known_numbers, numbers = distinct.to_numpy(), ids.to_numpy()
    places = np.empty(len(numbers), dtype=np.int32)
    # In pieces: searchsorted answers in 64 bits, which is twice the result.
    for start in range(0, len(numbers), _CHUNK):
        places[start : start + _CHUNK] = np.searchsorted(known_numbers, numbers[start : start + _CHUNK])
    return distinct, places


def _order(user_of: NDArray[np.int32], log: pl.DataFrame) -> NDArray[np.intp]:
    """The places of the events, user by user, in order; stable, so equals keep their file order."""
    if "time" in log.columns:
        return np.lexsort((log["time"].to_physical().to_numpy(), user_of))
    if "order" in log.columns:
        return np.lexsort((log["order"].to_numpy(), user_of))
    return np.argsort(user_of, kind="stable")


def _seconds(times: pl.Series) -> NDArray[np.int64]:
    return times.to_physical().to_numpy() // 1_000_000
