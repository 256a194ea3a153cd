"""The process that does jobs, one at a time and behind all others: `python -m intertask.service.runner`."""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable

from intertask.errors import IntertaskError
from intertask.service import jobs, process, tenants, versions
from intertask.service.access import Access
from intertask.service.delivering import deliver
from intertask.service.erasing import erase
from intertask.service.events import DAY
from intertask.service.exporting import write_out
from intertask.service.importing import bring_in
from intertask.service.jobs import AddJob, Facts, MoveJob, TakeJob
from intertask.service.modelling import add_model, train, tune
from intertask.service.opening import opened
from intertask.service.refusals import ConflictError, RefusedError
from intertask.service.schema import now
from intertask.service.settings import Place
from intertask.service.tidying import clear, tidy
from intertask.service.watching import watch
from intertask.service.work import Work

SECONDS = 0.5  # between two looks for a job
LIFE_SECONDS = 5.0  # between two signs of life of a job
NICE = 10
TIDY_SECONDS = 3_600.0
DUE_SECONDS = 60.0

JOBS: dict[str, Callable[[Work], Awaitable[Facts]]] = {
    "import": bring_in,
    "export": write_out,
    "erase": erase,
    "model": add_model,
    "train": train,
    "tune": tune,
}
LONG = ("train", "tune")  # one of these at a time, beside one of the others
SHORT = tuple(kind for kind in JOBS if kind not in LONG)


def main() -> None:
    """Do jobs until the end."""
    place = process.told()
    os.nice(NICE)
    asyncio.run(_work(place))


async def _work(place: Place) -> None:
    access = Access(opened(place.settings.database, place.folder), place.line)
    access.start()
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    process.ready()
    watching = asyncio.gather(watch(access), deliver(access, private=place.settings.private_webhooks))
    lanes = [_lane(place, access, f"{name}-{lane}", kinds, ended) for lane, kinds in enumerate((SHORT, LONG))]
    await asyncio.gather(*lanes, _regularly(place, access, ended))
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await access.close()


async def _lane(
    place: Place, access: Access, name: str, kinds: tuple[str, ...], ended: asyncio.Event
) -> None:
    """Do jobs of some kinds, one after the other."""
    while not ended.is_set():
        taken = False
        with contextlib.suppress(RefusedError):  # the store is away for a moment
            taken = await one(place, access, name, ended, kinds)
        if not taken:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), SECONDS)


async def _regularly(place: Place, access: Access, ended: asyncio.Event) -> None:
    """What is due every minute or every hour."""
    tidied = -TIDY_SECONDS
    while not ended.is_set():
        if time.monotonic() - tidied > TIDY_SECONDS:
            tidied = time.monotonic()
            await tidy(place, access)
        with contextlib.suppress(RefusedError):
            await retrain(place, access)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), DUE_SECONDS)


async def retrain(place: Place, access: Access) -> None:
    """Ask for a training of each tenant whose last one is too long ago.

    Raises:
        RefusedError: The store cannot be reached.
    """
    days = place.settings.retrain_days
    if days is None:
        return
    for tenant in (await access.read(tenants.tenants)).values():
        active = await access.read(versions.active, tenant)
        if active is None:
            continue
        before = await access.read(jobs.last, tenant, "train")
        if max(before or 0, active.created) < now() - days * DAY:
            await access.write(AddJob(tenant=tenant, what="train", arguments={"publish": "better"}))


async def one(
    place: Place,
    access: Access,
    name: str,
    ended: asyncio.Event | None = None,
    kinds: tuple[str, ...] = tuple(JOBS),
) -> bool:
    """Do the next job; False where none waits.

    Args:
        place: Of the service.
        access: To the store.
        name: Of this process.
        ended: Set when this process is to end: the job is left to another one, which goes on with it.
        kinds: Of the jobs that are done here.

    Raises:
        RefusedError: The store cannot be reached.
    """
    job = (await access.write(TakeJob(worker=name, kinds=kinds))).job
    if job is None:
        return False
    work = Work(place, access, job, name)
    doing = asyncio.ensure_future(JOBS[job.what](work))
    living = asyncio.create_task(_live(work))
    waiting = asyncio.create_task((ended or asyncio.Event()).wait())
    await asyncio.wait([doing, living, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (living, waiting):
        task.cancel()
    if not doing.done():  # stopped, taken by another process, or this one ends
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)
        await clear(place, access)
        return True
    await access.write(_outcome(work, doing))
    if (upload := job.arguments.get("upload")) is not None:  # whatever came of it, nobody reads it again
        (place.uploads / str(upload)).unlink(missing_ok=True)
    return True


def _outcome(work: Work, doing: asyncio.Future[Facts]) -> MoveJob:
    job, worker = work.job.job, work.worker
    try:
        return MoveJob(job=job, worker=worker, state="done", result=doing.result())
    except IntertaskError as error:
        reason = str(error)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        reason = f"a fault of the service: {type(error).__name__}"
    return MoveJob(job=job, worker=worker, state="failed", result={"error": reason})


async def _live(work: Work) -> None:
    """Say that the job goes on, until somebody has stopped it."""
    while True:
        await asyncio.sleep(LIFE_SECONDS)
        try:
            await work.access.write(MoveJob(job=work.job.job, worker=work.worker))
        except ConflictError:
            return
        except RefusedError:
            continue


if __name__ == "__main__":
    process.run(main)
