"""The first model of a service: `python -m intertask.service.seed RUN`, beside the process that writes.

The model goes into the registry, the histories of its people into the store, once: a later start with the
same run changes nothing. Killed and started again it goes on where it was, since each event has an id.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from intertask.recommender import Recommender
from intertask.service import process, registry, versions
from intertask.service.access import Access
from intertask.service.database import Reading, whole
from intertask.service.events import Append, StoredEvent
from intertask.service.opening import opened
from intertask.service.properties import BringPeople, Person
from intertask.service.publishing import publish
from intertask.service.settings import Place
from intertask.service.versions import AddVersion, Raise
from intertask.terminal.progress import bar

BATCH = 5_000  # events of a command
TENANT = 1
_PREFIX = "history/"
_MICROSECONDS = 1_000_000


def main() -> None:
    """Bring a run's model and people in."""
    place = process.told()
    asyncio.run(_seed(place, Path(sys.argv[1])))
    process.ready()


async def _seed(place: Place, source: Path) -> None:
    registry.tidy(place.models)
    added = registry.add(source, place.models)
    access = Access(opened(place.settings.database, place.folder), place.line)
    access.start()
    try:
        known = {one.digest: one.version for one in await access.read(versions.versions, TENANT)}
        if added.recommender is not None and await access.read(_only_histories, TENANT):
            await _bring(access, added.recommender)
        version = await access.write(AddVersion(tenant=TENANT, digest=added.digest, facts=added.facts))
        active = await access.read(versions.alias, TENANT, version.alias)
        if active is None:
            await access.write(Raise(tenant=TENANT, alias=version.alias, version=version.version))
        elif added.digest not in known:
            await publish(access, TENANT, version.version)
    finally:
        await access.close()


def _only_histories(store: Reading, tenant: int) -> bool:
    """Whether nothing has come in yet but what this process brought."""
    found = store.rows(
        f"SELECT count(*) FROM events WHERE tenant = ? AND substr(id, 1, {len(_PREFIX)}) <> ?",
        (tenant, _PREFIX),
    )
    return whole(found[0][0]) == 0


async def _bring(access: Access, recommender: Recommender) -> None:
    """Store the histories; what is there already is counted and left alone."""
    histories = recommender.histories
    with bar("bringing histories in", histories.num_events) as move:
        for events in batches(recommender):
            await access.write(Append(tenant=TENANT, events=events))
            move(len(events))
    for people in known(recommender):
        await access.write(BringPeople(tenant=TENANT, people=people))


def known(recommender: Recommender) -> Iterator[tuple[Person, ...]]:
    """What is known of a model's people, where it reads it, as properties."""
    people = recommender.answerer.people
    for start in range(0, 0 if people is None else len(people), BATCH):
        assert people is not None
        ids = people.ids[start : start + BATCH].cast(pl.String).to_list()
        rows = people.frame[start : start + BATCH].iter_rows(named=True)
        yield tuple(
            Person(person=name, properties={key: value for key, value in row.items() if value is not None})
            for name, row in zip(ids, rows, strict=True)
        )


def batches(recommender: Recommender) -> Iterator[tuple[StoredEvent, ...]]:
    """The events of a model's people, user by user and in their order, each with an id of its own."""
    reader, histories = recommender.answerer.reader, recommender.histories
    for start in range(0, histories.num_events, BATCH):
        places = np.arange(start, min(start + BATCH, histories.num_events))
        people = reader.users.decode(histories.users_of(places)).cast(pl.String).to_list()
        items = reader.items.decode(histories.items[places]).cast(pl.String).to_list()
        behaviours = [reader.behaviours[code] for code in histories.behaviours[places].tolist()]
        # A log without times has an order: events of one moment are in that of their coming.
        times = (
            [None] * len(places)
            if histories.times is None
            else [second * _MICROSECONDS for second in histories.times[places].tolist()]
        )
        yield tuple(
            StoredEvent(id=f"{_PREFIX}{place}", person=person, item=item, behaviour=behaviour, time=time)
            for place, person, item, behaviour, time in zip(
                places.tolist(), people, items, behaviours, times, strict=True
            )
        )


if __name__ == "__main__":
    process.run(main)
