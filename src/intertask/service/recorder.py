"""Keeps the lists that a process gives, a moment after they went out and many in one change."""

import asyncio
import contextlib

from intertask.service import metrics
from intertask.service.access import Access
from intertask.service.answers import Given, KeepAnswers
from intertask.service.refusals import RefusedError

SECONDS = 0.1  # between two changes; a process that is killed takes so much with it
TOGETHER = 500
MOST_WAITING = 20_000


class Recorder:
    """Takes lists and keeps them; what cannot be kept is counted and dropped, and no request waits for it.

    Args:
        access: To the store.
        keeps: Whether anything is kept.
    """

    def __init__(self, access: Access, keeps: bool = True) -> None:
        self._access, self._keeps = access, keeps
        self._waiting: list[tuple[int, Given]] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep."""
        self._task = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Keep what waits, and end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.flush()

    def keep(self, tenant: int, given: Given) -> None:
        """Take a list."""
        if not self._keeps:
            return
        if len(self._waiting) >= MOST_WAITING:
            metrics.KEPT.labels("lost").inc()
            return
        self._waiting.append((tenant, given))

    async def flush(self) -> None:
        """Keep what waits; while the store is away it goes on waiting."""
        while self._waiting:
            part = self._waiting[:TOGETHER]
            try:
                for tenant in dict.fromkeys(one for one, _ in part):
                    given = tuple(given for owner, given in part if owner == tenant)
                    await self._access.write(KeepAnswers(tenant=tenant, given=given))
            except RefusedError:  # what was kept already is left alone when it is sent again
                return
            del self._waiting[: len(part)]
            metrics.KEPT.labels("kept").inc(len(part))

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            await self.flush()
