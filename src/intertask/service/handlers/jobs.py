"""Jobs: a file of events comes in, all events go out, models are trained; how far they are."""

import asyncio
import json
from pathlib import Path
from typing import cast

from intertask.service import continuing, jobs, recipes
from intertask.service.fields import NoBody, spelled
from intertask.service.job_bodies import (
    EraseBody,
    FileAnswer,
    ImportQuery,
    JobAnswer,
    JobQuery,
    JobsAnswer,
    JobsQuery,
    ModelQuery,
    ReportAnswer,
    TrainBody,
    TuneBody,
)
from intertask.service.jobs import AddJob, Facts, Job, StopJob
from intertask.service.refusals import ConflictError, MissingError
from intertask.service.running import Call, Running


async def bring_in(running: Running, call: Call, body: ImportQuery) -> JobAnswer:
    """Import a file of events: read as a log is for training, every row accounted for."""
    columns: Facts = body.model_dump(exclude={"name"}, exclude_none=True)
    arguments: Facts = {"file": body.name, "upload": call.upload, **columns}
    return _shown(
        await running.access.write(
            AddJob(tenant=call.tenant, by=call.holder.key, what="import", arguments=arguments)
        )
    )


async def write_out(running: Running, call: Call, _body: NoBody) -> JobAnswer:
    """Export all events, as JSON lines in the order in which they came."""
    return _shown(await running.access.write(AddJob(tenant=call.tenant, by=call.holder.key, what="export")))


async def add_model(running: Running, call: Call, body: ModelQuery) -> JobAnswer:
    """Bring in the folder of a model: it becomes a version, and is published if asked."""
    arguments: Facts = {"upload": call.upload, "publish": body.publish}
    job = AddJob(tenant=call.tenant, by=call.holder.key, what="model", arguments=arguments)
    return _shown(await running.access.write(job))


async def train(running: Running, call: Call, body: TrainBody) -> JobAnswer:
    """Train on all events that are stored, judge the candidate, and publish it where it may be."""
    if body.recipe is not None:
        await asyncio.to_thread(recipes.refuse, body.recipe)
    arguments: Facts = {"recipe": body.recipe, "publish": body.publish}
    job = AddJob(tenant=call.tenant, by=call.holder.key, what="train", arguments=arguments)
    return _shown(await running.access.write(job))


async def tune(running: Running, call: Call, body: TuneBody) -> JobAnswer:
    """Look for better options of a recipe on all events that are stored; the result is the best recipe."""
    if body.recipe is not None:
        await asyncio.to_thread(recipes.refuse, body.recipe)
    arguments: Facts = {"recipe": body.recipe, "minutes": body.minutes, "trials": body.trials}
    if body.space is not None:
        arguments["space"] = json.dumps(body.model_dump(include={"space"}, exclude_none=True)["space"])
    job = AddJob(tenant=call.tenant, by=call.holder.key, what="tune", arguments=arguments)
    return _shown(await running.access.write(job))


async def report(running: Running, call: Call, body: JobQuery) -> ReportAnswer:
    """The report of a tuning, as a page of HTML."""
    job = await _job(running, call, body)
    return ReportAnswer(path=_written(running, job, "a tuning", "tune", "html"))


async def every(running: Running, call: Call, body: JobsQuery) -> JobsAnswer:
    """All jobs, the newest first."""
    before = None
    if body.cursor is not None:
        end = continuing.behind(body.cursor, call.tenant, "jobs", running.secret)
        before = cast("tuple[int, str]", tuple(end))
    found = await running.access.read(jobs.jobs, call.tenant, body.k, before)
    last: list[object] = [found[-1].created, found[-1].job] if found else []
    more = continuing.further(body.k, len(found), call.tenant, "jobs", last, running.secret)
    return JobsAnswer(jobs=tuple(map(_shown, found)), **more)


async def erase(running: Running, call: Call, body: EraseBody) -> JobAnswer:
    """Erase everything about a user, exports included; the job's result is the receipt."""
    job = AddJob(tenant=call.tenant, by=call.holder.key, what="erase", arguments={"user": body.user})
    return _shown(await running.access.write(job))


async def fetch(running: Running, call: Call, body: JobQuery) -> FileAnswer:
    """The file that an export has written."""
    job = await _job(running, call, body)
    return FileAnswer(path=_written(running, job, "an export", "export", "jsonl"))


async def look(running: Running, call: Call, body: JobQuery) -> JobAnswer:
    """How far a job is, and what came of it."""
    return _shown(await _job(running, call, body))


async def stop(running: Running, call: Call, body: JobQuery) -> JobAnswer:
    """Stop a job; what it has stored stays."""
    await running.access.write(StopJob(tenant=call.tenant, by=call.holder.key, job=body.job))
    return _shown(await _job(running, call, body))


async def _job(running: Running, call: Call, body: JobQuery) -> Job:
    found = await running.access.read(jobs.job, call.tenant, body.job)
    if found is None:
        raise MissingError("job", "one of your jobs", repr(body.job))
    return found


def _written(running: Running, job: Job, named: str, kind: str, ending: str) -> Path:
    """The file that a job has written; refused where there is none yet, or none any more."""
    if job.what != kind or job.state != "done":
        raise ConflictError("job", f"{named} that is done", f"one of {job.what} that is {job.state}")
    file = running.place.exports / f"{job.job}.{ending}"
    if not file.is_file():
        days = running.place.settings.exports_days
        kept = f"{named} of the last {days} days" if days else f"{named} whose file is there"
        raise MissingError("job", kept, "one whose file was deleted", "ask for a new one")
    return file


def _shown(job: Job) -> JobAnswer:
    return JobAnswer(
        job=job.job,
        kind=job.what,
        state=job.state,
        progress=dict(job.progress),
        result=None if job.result is None else dict(job.result),
        created=spelled(job.created),
        updated=spelled(job.updated),
    )
