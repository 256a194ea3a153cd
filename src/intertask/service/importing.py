"""A file of events comes in: read as a log is for training, stored in parts, every row accounted for.

Each part is stored together with how far the job is, in one transaction: killed at any moment and gone on
with, it stores each event once and counts it once.
"""

import asyncio
from pathlib import Path

import polars as pl

from intertask.data.event_log import EventLog
from intertask.errors import IntertaskError, RequestError
from intertask.service.events import StoredEvent
from intertask.service.fields import AHEAD, LONGEST_ID
from intertask.service.jobs import Facts
from intertask.service.parts import Part
from intertask.service.schema import now
from intertask.service.work import Work
from intertask.storage.files import sha256

PART = 5_000  # events
SHOWN = 5  # events of a preview


async def bring_in(work: Work) -> Facts:
    """Import the file of a job; what came of each of its rows.

    Raises:
        IntertaskError: It cannot be read, or holds behaviours that nobody named.
    """
    arguments = work.job.arguments
    file = work.place.uploads / str(arguments["upload"])
    if not file.exists():
        raise RequestError("import", "the file that was sent", "none", "send it again")
    log = await asyncio.to_thread(read, file, arguments)
    await _refuse_behaviours(work, log)
    rows, reasons = fitting(plain(log, arguments))
    reasons = {f"refused: {reason}": count for reason, count in log.report.counts.items()} | reasons
    told: Facts = {"rows": log.report.read, "refused": log.report.read - rows.height} | reasons
    if arguments.get("preview") == "yes":
        file.unlink()
        told |= {"stored": 0, "fitting": rows.height, "first": rows.head(SHOWN).write_json()}
        return told
    digest = (await asyncio.to_thread(sha256, file))[:16]
    for start in range(int(work.progress.get("done") or 0), rows.height, PART):
        events = stored(rows[start : start + PART], start, digest)
        done = start + len(events)
        part = Part(tenant=work.job.tenant, job=work.job.job, worker=work.worker, done=done, events=events)
        await work.write(part)
    counts = await work.counted()
    file.unlink()
    return counts | told


def read(file: Path, arguments: Facts) -> EventLog:
    """The log of a file that was sent.

    Raises:
        RequestError: It cannot be read as one; told by the name that the client knows.
    """

    def named(role: str) -> str | None:
        return str(arguments[role]) if arguments.get(role) is not None else None

    own, value, name = named("id"), named("value"), str(arguments["file"])
    try:
        return EventLog.read(
            file,
            user=named("user") or "user",
            item=named("item") or "item",
            time=named("time"),
            behaviour=named("behaviour"),
            labels={} if value is None else {"value": value},
            keep=[] if own is None else [own],
            name=name,
        )
    except IntertaskError as error:  # by the name that the client knows, and without our folder
        where, found = (part.replace(str(file), name) for part in (error.where, error.found))
        raise RequestError(where, error.expected, found, error.hint) from None


async def _refuse_behaviours(work: Work, log: EventLog) -> None:
    known = await work.behaviours()
    found = log.frame["behaviour"].unique().sort().to_list()
    foreign = [name for name in found if known and name not in known]
    if foreign:
        raise RequestError(
            f"{log.report.source} behaviour",
            f"one of {', '.join(known)}",
            repr(foreign[0]),
            "name it in service.toml, behaviours = [...]; nothing was stored",
        )


def plain(log: EventLog, arguments: Facts) -> pl.DataFrame:
    """The columns of events as they are stored: ids as text, times in microseconds."""
    frame = log.frame
    if log.clock == "order":
        frame = frame.sort("order", maintain_order=True)
    own = arguments.get("id")
    nothing = pl.lit(None)
    return frame.select(
        pl.col("user", "item").cast(pl.String),
        "behaviour",
        (pl.col("time").cast(pl.Int64) if log.clock == "time" else nothing.cast(pl.Int64)).alias("time"),
        (pl.col("value").cast(pl.Float64) if "value" in frame.columns else nothing.cast(pl.Float64)).alias(
            "value"
        ),
        (nothing.cast(pl.String) if own is None else pl.col(str(own)).cast(pl.String)).alias("id"),
    )


def fitting(rows: pl.DataFrame) -> tuple[pl.DataFrame, Facts]:
    """The rows that the service takes, and how many it does not, by reason."""
    names = pl.col("user", "item", "behaviour", "id")
    wrong = {
        "refused: an id of over 200 characters": pl.any_horizontal(names.str.len_chars() > LONGEST_ID),
        "refused: a NUL character": pl.any_horizontal(names.str.contains("\0", literal=True)),
        "refused: later than tomorrow": pl.col("time") > now() + AHEAD,
    }
    reasons: Facts = {}
    for reason, condition in wrong.items():
        fits = rows.filter(~condition.fill_null(False))
        if fits.height < rows.height:
            reasons[reason] = rows.height - fits.height
        rows = fits
    return rows, reasons


def stored(rows: pl.DataFrame, start: int, digest: str) -> tuple[StoredEvent, ...]:
    """Events; one without an id gets that of its place in its file, so that it is stored once."""
    return tuple(
        StoredEvent(
            id=own or f"import/{digest}/{start + place}",
            person=user,
            item=item,
            behaviour=behaviour,
            time=time,
            value=value,
        )
        for place, (user, item, behaviour, time, value, own) in enumerate(rows.iter_rows())
    )
