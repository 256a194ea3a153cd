"""RetailRocket as MBHT prepared it: views, cart additions and transactions in order, without times.

From INTERTASK_DATA only; the raw log is on Kaggle under its own terms. Source: Yang et al., "Multi-Behavior
Hypergraph-Enhanced Transformer for Sequential Recommendation", KDD 2022.

What the published rows are was found by comparing them, and is undone here:

* A row is what someone did before one purchase; its `item_id` is the item bought. Where a longer row goes on
  from a shorter one of at least three events, the next event is that item with the type 0 (transaction), in
  all 4,253 cases. So one person's rows are a chain, each a prefix of the next.
* Rows were written up to three times, and some of the copies have 3 in place of 0: where two rows of three
  or more events list the same items but differ in a type (1,482 places), it is always 0 against 3. So 3 is a
  transaction, too.
* Very short rows that occur more than three times are several people who did the same.

One chain becomes one user, so no event is counted twice.
"""

from collections import Counter
from pathlib import Path
from typing import Literal

import polars as pl

from intertask.data import fetch
from intertask.data.event_log import EventLog
from intertask.datasets import DatasetConfig, Loaded

_ORIGIN = "the repository of MB-IMN or of MBHT (dataset retail_beh)"
_BEHAVIOURS = {0: "transaction", 1: "cart", 2: "view"}
_COPIES = 3  # of every row, at most

Event = tuple[int, int]


class Config(DatasetConfig):
    """RetailRocket, one user for each session.

    Args:
        targets: End each user with the purchase that the published protocol asks for. Without it
            (the default) the last listed event comes last, whatever it is, so that views, cart additions
            and transactions are all asked for by leave-one-out; with it every last event is a transaction.
    """

    kind: Literal["retailrocket_mbht"] = "retailrocket_mbht"
    targets: bool = False

    def load(self, folder: Path) -> Loaded:
        """Sessions of the training and of the test part, users "train-1", ..., "test-1", ...; no catalogue.

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        place = fetch.require_local("retailrocket-mbht", ("train.parquet", "test.parquet"), _ORIGIN)
        frames = [self._part(place, part, copies) for part, copies in (("train", _COPIES), ("test", 1))]
        events = EventLog.read(pl.concat(frames), order="order", behaviour="behaviour", name=self.kind)
        return Loaded(events, None)

    def _part(self, place: Path, part: str, copies: int) -> pl.DataFrame:
        chains = merge(_purchases(pl.read_parquet(place / f"{part}.parquet")), copies)
        rows = [
            (f"{part}-{number}", item, _BEHAVIOURS[kind], order)
            for number, chain in enumerate(chains, start=1)
            for order, (item, kind) in enumerate(chain if self.targets else chain[:-1])
        ]
        return pl.DataFrame(rows, schema=["user", "item", "behaviour", "order"], orient="row")


def merge(rows: list[tuple[Event, ...]], copies: int) -> list[tuple[Event, ...]]:
    """The sessions that rows were cut from: each chain of prefixes once.

    A row that was written n times stands for n / copies sessions, rounded up. As many of them as longer
    rows begin with it are those longer ones; the others ended there.

    Args:
        rows: Events up to and with a purchase.
        copies: How often one session may have been written.
    """
    written = Counter(rows)
    longer: Counter[tuple[Event, ...]] = Counter()  # sessions that go on after this row
    sessions: dict[tuple[Event, ...], int] = {}
    for row in sorted(written, key=len, reverse=True):
        ended = max(-(-written[row] // copies) - longer[row], 0)
        sessions[row] = ended
        for stop in range(1, len(row) if ended else 0):
            if row[stop - 1][1] == 0 and row[:stop] in written:
                longer[row[:stop]] += ended
    return [row for row in written for _ in range(sessions[row])]


def _purchases(frame: pl.DataFrame) -> list[tuple[Event, ...]]:
    columns = (frame[name].to_list() for name in ("item_id_list", "item_type_list", "item_id"))
    return [
        (*((item, 0 if kind == 3 else kind) for item, kind in zip(items, kinds, strict=True)), (target, 0))
        for items, kinds, target in zip(*columns, strict=True)
    ]
