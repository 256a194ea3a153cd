"""Jobs that make versions of the model: an archive that was sent, a training on the events of the store."""

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import cast

import polars as pl

from intertask.errors import IntertaskError
from intertask.service import properties, publishing, versions
from intertask.service.database import Reading, whole
from intertask.service.jobs import Facts, MoveJob
from intertask.service.versions import AddVersion
from intertask.service.work import Work
from intertask.service.zipped import unpack
from intertask.storage.files import written_aside

PART = 100_000  # events
PEOPLE = 10_000  # that are read at once
LEAST_EVENTS = 100
REPORT = "tuning/report.html"  # in the folder of a job
DONE = {"digest", "tuned", "error"}  # one of these stands in the last line of a process that makes models
_SCHEMA = {
    "user": pl.String,
    "item": pl.String,
    "behaviour": pl.String,
    "time": pl.Int64,
    "value": pl.Float64,
    "seq": pl.Int64,
}


async def add_model(work: Work) -> Facts:
    """Bring in the model of an archive that was sent.

    Raises:
        IntertaskError: It is no model that can be served.
    """
    archive = work.place.uploads / str(work.job.arguments["upload"])
    folder = _folder(work)
    shutil.rmtree(folder, ignore_errors=True)  # unpacked by half when its process was killed
    try:
        place = await asyncio.to_thread(unpack, archive, folder)
        made = await _made(work, "add", place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = await _version(work, made, publish=work.job.arguments.get("publish") == "yes")
    archive.unlink(missing_ok=True)
    return found


async def train(work: Work) -> Facts:
    """Train on all events of the tenant, judge the candidate by the newest ones, and publish it where it may.

    Raises:
        IntertaskError: It cannot be trained.
    """
    arguments = work.job.arguments
    async with _made_of_events(work, "train", {"recipe": arguments.get("recipe")}) as made:
        verdict = cast("Facts", made["verdict"])
        mode = arguments.get("publish")
        publish = mode == "always" or (mode == "better" and bool(verdict["passed"]))
        found = await _version(work, made, publish=publish)
    return found | {f"gate_{name}": value for name, value in verdict.items()}


async def tune(work: Work) -> Facts:
    """Look for better options of a recipe, on all events of the tenant; killed, it goes on where it was.

    Raises:
        IntertaskError: It cannot be tuned.
    """
    async with _made_of_events(work, "tune", work.job.arguments) as made:
        work.place.exports.mkdir(mode=0o700, exist_ok=True)
        with written_aside(work.place.exports / f"{work.job.job}.html") as aside:
            aside.write_bytes((_folder(work) / REPORT).read_bytes())
    return cast("Facts", made["tuned"])


@contextlib.asynccontextmanager
async def _made_of_events(
    work: Work, verb: str, given: Mapping[str, object]
) -> AsyncIterator[dict[str, object]]:
    """What a process made of all events of the tenant, which stand in a folder until the block has ended.

    When this process is killed the folder stays, and the job goes on with it.

    Args:
        work: The job.
        verb: Of the process.
        given: What it is given besides.

    Raises:
        IntertaskError: What went wrong there.
    """
    folder = _folder(work)
    try:
        if not (folder / "job.json").exists():
            active = await work.access.read(versions.active, work.job.tenant)
            await asyncio.to_thread(_prepare, work.access.here, work.job.tenant, folder)
            table = dict(given) | {"active": None if active is None else active.digest}
            with written_aside(folder / "job.json") as aside:
                aside.write_text(json.dumps(table), encoding="utf-8")
        yield await _made(work, verb, folder)
    except IntertaskError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)  # it holds people


async def _version(work: Work, made: dict[str, object], *, publish: bool) -> Facts:
    digest, facts = str(made["digest"]), cast("Facts", made["facts"])
    added = await work.write(AddVersion(tenant=work.job.tenant, digest=digest, facts=facts))
    if publish:
        await publishing.publish(work.access, work.job.tenant, added.version)
    return {"version": added.version, "published": publish}


async def _made(work: Work, verb: str, argument: Path) -> dict[str, object]:
    """What the process that makes models says at its end.

    Raises:
        IntertaskError: What went wrong there.
    """
    found: dict[str, object] = {}
    async with _child(work, verb, argument) as lines:
        async for line in lines:
            found = json.loads(line)
            if not found.keys() & DONE:
                progress = cast("Facts", found)
                await work.write(MoveJob(job=work.job.job, worker=work.worker, progress=progress))
    if "error" in found:
        raise IntertaskError("job", "a model that can be made", str(found["error"]))
    if not found.keys() & DONE:
        raise IntertaskError("job", "a process that makes a model", "its end", "see the log")
    return found


@contextlib.asynccontextmanager
async def _child(work: Work, verb: str, argument: Path) -> AsyncIterator[asyncio.StreamReader]:
    """The lines of a process that ends with this job, whatever ends it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "intertask.service.making",
        verb,
        str(argument),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(work.place.model_dump_json().encode() + b"\n")
    with contextlib.suppress(ConnectionError):
        await child.stdin.drain()
    try:
        yield child.stdout
        await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
        child.stdin.close()


def _folder(work: Work) -> Path:
    return work.place.folder / "jobs" / work.job.job


def _prepare(here: Callable[[], Reading], tenant: int, folder: Path) -> None:
    """Write the events and the items of a tenant down, as of one moment."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    store = here()
    parts: list[Path] = []
    with store.snapshot():
        after = 0
        while rows := store.rows(
            "SELECT person, item, behaviour, time, value, seq FROM events "
            "WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?",
            (tenant, after, PART),
        ):
            parts.append(folder / f"part{len(parts):05}.parquet")
            pl.DataFrame(rows, schema=_SCHEMA, orient="row").write_parquet(parts[-1])
            after = whole(rows[-1][-1])
        items = properties.since(store, tenant, -1)
        _write_people(store, tenant, folder / "people.jsonl")
    count = pl.scan_parquet(parts).select(pl.len()).collect().item() if parts else 0
    if count < LEAST_EVENTS:
        raise IntertaskError("train", f"at least {LEAST_EVENTS} events", f"{count}", "send events first")
    time = pl.from_epoch("time", time_unit="us").dt.replace_time_zone("UTC")
    pl.scan_parquet(parts).with_columns(time).sink_parquet(folder / "events.parquet")
    for part in parts:
        part.unlink()
    with (folder / "items.jsonl").open("w", encoding="utf-8") as handle:
        handle.writelines(json.dumps([one.item, one.properties]) + "\n" for one in items)


def _write_people(store: Reading, tenant: int, file: Path) -> None:
    """Write down what is known of a tenant's people."""
    after = ""
    with file.open("w", encoding="utf-8") as handle:
        while found := properties.people(store, tenant, after, PEOPLE):
            handle.writelines(json.dumps([one.person, one.properties]) + "\n" for one in found)
            after = found[-1].person
