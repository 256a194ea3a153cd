"""Jobs: work that takes longer than a request, taken by one process at a time and kept until it is done."""

import json
import uuid
from typing import Literal

from intertask.service.database import Reading, Row, Writing, text, whole
from intertask.service.messages import Command, Done, Message
from intertask.service.refusals import ConflictError, MissingError
from intertask.service.schema import now
from intertask.service.webhooks import emit

State = Literal["waiting", "running", "done", "failed", "stopped"]
STATES: tuple[State, ...] = ("waiting", "running", "done", "failed", "stopped")
LEASE = 30_000_000  # microseconds without a sign of life after which another process takes a job

LAST = 2**62  # microseconds: behind all that happens

Facts = dict[str, str | int | float | bool | None]


class Job(Message):
    """A job.

    Args:
        job: Its id.
        tenant: Whose.
        what: "import", "train", ...
        arguments: As it was asked for.
        state: Where it is.
        progress: How far, in its own terms.
        result: What came of it, or why it failed.
        created: When it was asked for, in microseconds since 1970.
        updated: When something was heard of it last.
    """

    job: str
    tenant: int
    what: str
    arguments: Facts
    state: State
    progress: Facts
    result: Facts | None = None
    created: int = 0
    updated: int = 0


class Taken(Message):
    """The job that a process is to do; none where nothing waits."""

    job: Job | None = None


class AddJob(Command[Job]):
    """Ask for a job."""

    answers = Job
    kind: Literal["add_job"] = "add_job"
    what: str
    arguments: Facts = {}

    @property
    def subject(self) -> str:
        """The kind of the job."""
        return self.what

    def run(self, store: Writing) -> Job:
        """Keep it until a process takes it."""
        name, moment = f"job_{uuid.uuid4().hex}", now()
        store.run(
            "INSERT INTO jobs (job, tenant, kind, arguments, state, progress, created, updated) "
            "VALUES (?, ?, ?, ?, 'waiting', '{}', ?, ?)",
            (name, self.tenant, self.what, json.dumps(self.arguments), moment, moment),
        )
        return Job(
            job=name,
            tenant=self.tenant,
            what=self.what,
            arguments=self.arguments,
            state="waiting",
            progress={},
            created=moment,
            updated=moment,
        )


class TakeJob(Command[Taken]):
    """Take the oldest job that waits, or whose process has died.

    Args:
        worker: Who takes it.
        kinds: What it can do.
    """

    answers = Taken
    kind: Literal["take_job"] = "take_job"
    worker: str
    kinds: tuple[str, ...]

    def run(self, store: Writing) -> Taken:
        """Take it."""
        moment = now()
        if store.words.clustered == "":  # several processes write: one of them looks for a job at a time
            store.rows("SELECT pg_advisory_xact_lock(7240912)")
        rows = store.rows(
            f"SELECT {_COLUMNS} FROM jobs WHERE (state = 'waiting' OR (state = 'running' AND until < ?)) "
            "ORDER BY created, job",
            (moment,),
        )
        job = next((one for one in map(_job, rows) if one.what in self.kinds), None)
        if job is None:
            return Taken()
        store.run(
            "UPDATE jobs SET state = 'running', worker = ?, until = ?, updated = ? WHERE job = ?",
            (self.worker, moment + LEASE, moment, job.job),
        )
        return Taken(job=job.model_copy(update={"state": "running"}))


class MoveJob(Command[Done]):
    """Say how far a job is; refused where another process has it by now, or it was stopped.

    Args:
        job: Which.
        worker: Who does it.
        state: "running" as long as it goes on.
        progress: How far it is; as far as it was said last where it is None.
        result: Where it has ended.
    """

    answers = Done
    kind: Literal["move_job"] = "move_job"
    job: str
    worker: str
    state: State = "running"
    progress: Facts | None = None
    result: Facts | None = None

    def run(self, store: Writing) -> Done:
        """Note it.

        Raises:
            ConflictError: The job is no longer this process's.
        """
        moment = now()
        changed = store.run(
            "UPDATE jobs SET state = ?, progress = coalesce(?, progress), result = ?, until = ?, updated = ? "
            "WHERE job = ? AND worker = ? AND state = 'running'",
            (
                self.state,
                None if self.progress is None else json.dumps(self.progress),
                None if self.result is None else json.dumps(self.result),
                moment + LEASE,
                moment,
                self.job,
                self.worker,
            ),
        )
        if not changed:
            raise ConflictError("job", f"one that {self.worker} works on", repr(self.job))
        if self.state in ("done", "failed"):
            rows = store.rows("SELECT tenant, kind FROM jobs WHERE job = ?", (self.job,))
            told: dict[str, str | int | bool] = {"job": self.job, "kind": text(rows[0][1])}
            emit(store, whole(rows[0][0]), f"job.{self.state}", told)
        return Done()


class ForgetArguments(Command[Done]):
    """Forget what a job was asked by: it named a person who is erased."""

    answers = Done
    erases = True
    kind: Literal["forget_arguments"] = "forget_arguments"
    job: str

    def run(self, store: Writing) -> Done:
        """Forget it."""
        changed = store.run(
            "UPDATE jobs SET arguments = '{}' WHERE tenant = ? AND job = ?", (self.tenant, self.job)
        )
        return Done(changed=changed > 0)


class StopJob(Command[Done]):
    """Stop a job of the tenant: its process finds it out by its next sign of life."""

    answers = Done
    kind: Literal["stop_job"] = "stop_job"
    job: str

    @property
    def subject(self) -> str:
        """The job."""
        return self.job

    def run(self, store: Writing) -> Done:
        """Stop it.

        Raises:
            MissingError: The tenant has no such job.
        """
        whose = "WHERE tenant = ? AND job = ?"
        if not store.rows(f"SELECT job FROM jobs {whose}", (self.tenant, self.job)):
            raise MissingError("job", "one of your jobs", repr(self.job))
        changed = store.run(
            f"UPDATE jobs SET state = 'stopped', updated = ? {whose} AND state IN ('waiting', 'running')",
            (now(), self.tenant, self.job),
        )
        return Done(changed=changed > 0)


_COLUMNS = "job, tenant, kind, arguments, state, progress, result, created, updated"


def progress(store: Reading, name: str) -> Facts:
    """How far a job is."""
    rows = store.rows("SELECT progress FROM jobs WHERE job = ?", (name,))
    return json.loads(text(rows[0][0])) if rows else {}


def under_way(store: Reading) -> list[Job]:
    """The jobs of all tenants that wait or are being done."""
    return list(map(_job, store.rows(f"SELECT {_COLUMNS} FROM jobs WHERE state IN ('waiting', 'running')")))


def goes_on(store: Reading, name: str) -> bool:
    """Whether a job waits or is being done."""
    rows = store.rows("SELECT state FROM jobs WHERE job = ?", (name,))
    return bool(rows) and rows[0][0] in ("waiting", "running")


def job(store: Reading, tenant: int, name: str) -> Job | None:
    """A job of a tenant."""
    rows = store.rows(f"SELECT {_COLUMNS} FROM jobs WHERE tenant = ? AND job = ?", (tenant, name))
    return _job(rows[0]) if rows else None


def jobs(store: Reading, tenant: int, most: int, before: tuple[int, str] | None = None) -> list[Job]:
    """Jobs of a tenant, the newest first; those behind one, by when it was asked for and its id."""
    moment, name = (LAST, "") if before is None else before
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM jobs WHERE tenant = ? AND (created, job) < (?, ?) "
        "ORDER BY created DESC, job DESC LIMIT ?",
        (tenant, moment, name, most),
    )
    return [_job(row) for row in rows]


def _job(row: Row) -> Job:
    name, tenant, kind, arguments, state, progress, result, created, updated = row
    return Job(
        job=text(name),
        tenant=whole(tenant),
        what=text(kind),
        arguments=json.loads(text(arguments)),
        state=next(one for one in STATES if one == state),
        progress=json.loads(text(progress)),
        result=None if result is None else json.loads(text(result)),
        created=whole(created),
        updated=whole(updated),
    )


def last(store: Reading, tenant: int, what: str) -> int | None:
    """When a job of a kind was asked for last."""
    rows = store.rows("SELECT max(created) FROM jobs WHERE tenant = ? AND kind = ?", (tenant, what))
    return None if rows[0][0] is None else whole(rows[0][0])
