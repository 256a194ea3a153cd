"""A part of an import: events, and how far the job is, stored together or not at all."""

from typing import Literal

from intertask.service.database import Writing
from intertask.service.events import Append, StoredEvent
from intertask.service.jobs import Facts, MoveJob, progress
from intertask.service.messages import Command, Done


class Part(Command[Done]):
    """Store some events of a job, and how far it is."""

    answers = Done
    kind: Literal["part"] = "part"
    job: str
    worker: str
    done: int
    events: tuple[StoredEvent, ...]

    def run(self, store: Writing) -> Done:
        """Store them.

        Raises:
            ConflictError: The job is no longer this process's.
        """
        before = progress(store, self.job)
        if int(before.get("done") or 0) >= self.done:  # sent again, since its answer was lost
            return Done(changed=False)
        receipt = Append(tenant=self.tenant, events=self.events).run(store)
        counts = {"stored": receipt.stored, "duplicates": receipt.duplicates, "late": receipt.late}
        after: Facts = {name: int(before.get(name) or 0) + count for name, count in counts.items()}
        return MoveJob(job=self.job, worker=self.worker, progress=after | {"done": self.done}).run(store)
