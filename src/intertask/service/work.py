"""One job under way, and what it is done with."""

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import TypeVar

from intertask.service import jobs, versions
from intertask.service.access import Access
from intertask.service.jobs import Facts, Job
from intertask.service.messages import Command, Message
from intertask.service.refusals import UnavailableError
from intertask.service.settings import Place

TRIES, SECONDS = 60, 1.0

Answer = TypeVar("Answer", bound=Message)


@dataclass(frozen=True)
class Work:
    """A job that this process has taken.

    Args:
        place: Of the service.
        access: To the store.
        job: As it was when it was taken.
        worker: The name of this process.
    """

    place: Place
    access: Access
    job: Job
    worker: str

    @property
    def progress(self) -> Facts:
        """How far it was when it was taken: another process may have begun it."""
        return self.job.progress

    async def counted(self) -> Facts:
        """How far it is now."""
        return await self.access.read(jobs.progress, self.job.job)

    async def write(self, command: Command[Answer]) -> Answer:
        """Write a command that may be sent twice; while the store is away, try again.

        Raises:
            RefusedError: It is refused, or the store is away for too long.
        """
        for _ in range(TRIES):
            with contextlib.suppress(UnavailableError):
                return await self.access.write(command)
            await asyncio.sleep(SECONDS)
        return await self.access.write(command)

    async def behaviours(self) -> tuple[str, ...]:
        """Names of the behaviours that events of the tenant may have; any where there are none."""
        active = await self.access.read(versions.active, self.job.tenant)
        if active is None:
            return ()
        known = json.loads(str(active.facts.get("behaviours") or "[]"))
        return tuple(dict.fromkeys((*known, *self.place.settings.behaviours)))
