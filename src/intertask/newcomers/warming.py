"""The first events of new items, taken in without training."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from intertask.answering.answerer import Answerer
from intertask.answering.updating import refuse_strange
from intertask.cold.holdout import Targets
from intertask.cold.warming import befores, known_of
from intertask.content.described import Described
from intertask.data.event_log import EventLog
from intertask.data.sequences import Sequences, from_lists
from intertask.data.windows import Windows
from intertask.errors import RequestError
from intertask.events.requests import encoded
from intertask.items._warming import warm
from intertask.items.content import ContentItems
from intertask.newcomers.growing import described_of, grown


@dataclass(frozen=True)
class Warmed:
    """What came of it.

    Args:
        answerer: With the vectors that the events have moved.
        frame: A row for each item that had some.
    """

    answerer: Answerer
    frame: pl.DataFrame


def warmed(answerer: Answerer, task: str, log: EventLog) -> Warmed:
    """The vectors of new items after some events of theirs.

    Each event is read behind the stored events of its user, those after it left out, and behind those of the
    log before it. Events of items that were trained on are read, and change no vector.

    Args:
        answerer: A model that reads content.
        task: Which ranks, by whose scores the vectors are moved.
        log: The events.

    Raises:
        RequestError: The model reads no content, it has no stored events to compare with, the events have a
            behaviour that it does not know or lack times that it needs, or none of them is of a new item and
            has a history.
    """
    described = described_of(answerer)
    if answerer.reader.stored.times is not None and log.clock != "time":
        raise RequestError("warm", "events with times, as those of the training", "events without")
    refuse_strange(log, answerer.reader.behaviours, "warm")
    known = _stored(answerer, described)
    targets, left_out = _read(answerer, described, log)
    if left_out:
        warnings.warn(f"{left_out:,} events of items that the model does not know are left out", stacklevel=3)
    if not len(targets):
        raise RequestError(
            "warm",
            "an event of a new item, behind an event of its user",
            f"none among {log.frame.height:,} events",
            "add the items first, and hand over their users' events",
        )
    assert answerer.catalogue is not None
    after = grown(answerer, described, answerer.reader.items.ids[:0], answerer.catalogue)
    items = after.model.items
    assert isinstance(items, ContentItems)
    before_ID = items.weight_ID.detach().clone()
    order = np.argsort(targets.items, kind="stable")
    which, starts, counts = np.unique(targets.items[order], return_index=True, return_counts=True)
    places = {
        int(item): order[start : start + count]
        for item, start, count in zip(which, starts, counts, strict=True)
    }
    level = known_of(after.model, task, known)
    warm(items, befores(after.model, task, targets, places, level), level.mean_DD)
    moved = (items.weight_ID.detach() - before_ID)[torch.from_numpy(which)].norm(dim=1)
    frame = pl.DataFrame(
        {
            "item": after.reader.items.decode(which),
            "events": counts,
            "evidence": items.described.evidence_I[which],
            "moved": moved.numpy(),
        }
    )
    after.model.dimensions = replace(after.model.dimensions, described=items.described)
    return Warmed(after, frame)


def _stored(answerer: Answerer, described: Described) -> Targets:
    """The last events of stored users, which say how trained items are scored where they come next."""
    stored = answerer.reader.stored
    users = np.flatnonzero(stored.lengths >= 2)
    last = stored.offsets[users + 1] - 1
    kept = described.learned_I[stored.items[last]]
    users, last = users[kept], last[kept]
    if not len(users):
        raise RequestError(
            "warm", "a model with the events of its users", "one without", "save it with histories=True"
        )
    windows = Windows(np.asarray(stored.offsets)[users].astype(np.int64), last.astype(np.int64))
    times = None if stored.times is None else stored.times[last].astype(np.int64)
    return _targets(stored, windows, stored.items[last].astype(np.int64), times, described)


def _read(answerer: Answerer, described: Described, log: EventLog) -> tuple[Targets, int]:
    """The events of new items with their histories, and how many are of unknown items."""
    reader, frame = answerer.reader, log.frame
    if "time" in frame.columns:
        frame = frame.sort("time", maintain_order=True)
    elif "order" in frame.columns:
        frame = frame.sort("order", maintain_order=True)
    items, users = encoded(reader.items, frame["item"]), encoded(reader.users, frame["user"])
    known = {name: code for code, name in enumerate(reader.behaviours)}
    codes = [known[name] for name in frame["behaviour"]]
    clock = frame["time"].to_physical().to_numpy() // 1_000_000 if "time" in frame.columns else None
    events: dict[object, list[int]] = {}
    for row, user in enumerate(frame["user"]):
        if items[row] >= 0:
            events.setdefault(user, []).append(row)
    rows: list[list[int]] = []
    kinds: list[list[int]] = []
    times: list[list[int]] = []
    starts: list[int] = []
    stops: list[int] = []
    asked: list[int] = []
    total = 0
    for own in events.values():
        earliest = None if clock is None else int(clock[own[0]])
        past = _past(reader.stored, int(users[own[0]]), earliest, answerer.model.config.max_length)
        rows.append([*reader.stored.items[past].tolist(), *items[own].tolist()])
        kinds.append([*reader.stored.behaviours[past].tolist(), *(codes[row] for row in own)])
        if reader.stored.times is not None:
            before = reader.stored.times[past].tolist()
            now = clock[own].tolist() if clock is not None else [before[-1] if before else 0] * len(own)
            times.append(np.maximum.accumulate([*before, *now]).tolist())
        first = len(rows[-1]) - len(own)
        for place in range(max(1, first), len(rows[-1])):
            if not described.learned_I[rows[-1][place]]:
                starts.append(total)
                stops.append(total + place)
                asked.append(rows[-1][place])
        total += len(rows[-1])
    sequences = from_lists(rows, len(reader.items), kinds, times if reader.stored.times is not None else None)
    windows = Windows(np.array(starts, np.int64), np.array(stops, np.int64))
    found = np.array(asked, np.int64)
    moments = None if sequences.times is None else sequences.times[windows.stops].astype(np.int64)
    return _targets(sequences, windows, found, moments, described), int((items < 0).sum())


def _past(stored: Sequences, user: int, earliest: int | None, longest: int) -> slice:
    """The last events of a user before a moment; none of one who is not known.

    An update may have stored the events of the log already: none is read behind itself.
    """
    if user < 0:
        return slice(0, 0)
    start, stop = (int(end) for end in stored.offsets[user : user + 2])
    if stored.times is not None and earliest is not None:
        stop = start + int(np.searchsorted(stored.times[start:stop], earliest))
    return slice(max(start, stop - longest), stop)


def _targets(
    sequences: Sequences,
    windows: Windows,
    items: NDArray[np.int64],
    times: NDArray[np.int64] | None,
    described: Described,
) -> Targets:
    learned_I = described.learned_I
    return Targets(
        sequences,
        windows,
        items,
        np.zeros(len(items), np.int64),
        times,
        ~learned_I[items],
        ~learned_I,
        learned_I,
    )
