"""Everything that a tenant's people did, as a file of JSON lines."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from intertask.service.database import Reading, Row, text, whole
from intertask.service.fields import spelled
from intertask.service.jobs import Facts
from intertask.service.work import Work
from intertask.storage.files import written_aside

PART = 10_000  # events
NAMES = ("id", "user", "item", "behaviour", "time", "value", "session", "recommendation")


async def write_out(work: Work) -> Facts:
    """Export the events of a tenant, in the order in which they came.

    Raises:
        IntertaskError: The place cannot be written to.
    """
    file = work.place.exports / f"{work.job.job}.jsonl"
    rows = await asyncio.to_thread(_write, work.access.here, work.job.tenant, file)
    return {"rows": rows, "bytes": file.stat().st_size}


def _write(here: Callable[[], Reading], tenant: int, file: Path) -> int:
    store, rows = here(), 0
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with written_aside(file) as aside, aside.open("w", encoding="utf-8") as handle, store.snapshot():
        seq = 0
        while found := _part(store, tenant, seq):
            handle.writelines(_line(row) for row in found)
            rows, seq = rows + len(found), whole(found[-1][-1])
    return rows


def _part(store: Reading, tenant: int, after: int) -> list[Row]:
    return store.rows(
        "SELECT id, person, item, behaviour, time, value, session, recommendation, seq FROM events "
        "WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?",
        (tenant, after, PART),
    )


def _line(row: Row) -> str:
    table = dict(zip(NAMES, row, strict=False)) | {"time": spelled(whole(row[4])), "id": text(row[0])}
    return json.dumps({name: value for name, value in table.items() if value is not None}) + "\n"
