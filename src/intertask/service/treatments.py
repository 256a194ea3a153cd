"""Which version answers a request and how: by an experiment that it is part of, or by a candidate."""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass

from intertask.service import canaries, experiments, versions
from intertask.service.access import Access
from intertask.service.canaries import Canary, CountAnswers, Counts
from intertask.service.database import Reading
from intertask.service.engine import Engine
from intertask.service.experiment_bodies import ArmChanges
from intertask.service.experiments import Experiment
from intertask.service.list_bodies import RecommendBody
from intertask.service.refusals import RefusedError, UnavailableError

KNOWN_SECONDS = 0.5  # after which the store is asked again
TELL_SECONDS = 1.0


@dataclass(frozen=True)
class Treatment:
    """How a request is answered.

    Args:
        body: The request, as the arm asks for it.
        version: Of the model; the active one where it is None.
        experiment: The experiment that the request is part of.
        arm: Of that.
    """

    body: RecommendBody
    version: int | None = None
    experiment: str | None = None
    arm: str | None = None


@dataclass(frozen=True)
class _Known:
    """What goes on in a tenant."""

    read: float
    running: tuple[Experiment, ...]
    canary: Canary | None
    digests: dict[int, str]


class Treatments:
    """Knows what goes on, and counts what comes of it.

    Args:
        access: To the store.
        engine: With the models that this process has ready.
    """

    def __init__(self, access: Access, engine: Engine) -> None:
        self._access, self._engine = access, engine
        self._known: dict[int, _Known] = {}
        self._changes: dict[str, ArmChanges] = {}
        self._counts: dict[tuple[int, int], Counts] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tell the store what was counted."""
        self._task = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(TELL_SECONDS)
            with contextlib.suppress(RefusedError):  # counts are lost with the store, and come again
                await self.flush()

    async def of(self, tenant: int, body: RecommendBody) -> Treatment:
        """How a request is answered."""
        known = await self._look(tenant)
        if body.user is not None:
            for one in known.running:
                if one.scenario not in (None, body.scenario):
                    continue
                arm = one.arm(tenant, body.user)
                if arm is not None and self._ready(known, arm.version):
                    return Treatment(self._changed(body, arm.changes), arm.version, one.name, arm.name)
        if known.canary is not None and self._ready(known, known.canary.version):
            drawn = random.random() if body.user is None else canaries.chance(tenant, known.canary, body.user)
            if drawn < known.canary.share:
                return Treatment(body, known.canary.version)
        return Treatment(body)

    def count(self, tenant: int, version: int, *, failed: bool, empty: bool, seconds: float) -> None:
        """Note what came of a request, where there is a candidate."""
        known = self._known.get(tenant)
        if known is None or known.canary is None:
            return
        before = self._counts.get((tenant, version), Counts())
        self._counts[tenant, version] = Counts(
            before.requests + 1, before.failures + failed, before.empty + empty, before.seconds + seconds
        )

    async def flush(self) -> None:
        """Tell the store what was noted.

        Raises:
            RefusedError: It cannot be reached; nothing is counted twice.
        """
        while self._counts:
            (tenant, version), one = self._counts.popitem()
            await self._access.write(
                CountAnswers(
                    tenant=tenant,
                    version=version,
                    requests=one.requests,
                    failures=one.failures,
                    empty=one.empty,
                    seconds=one.seconds,
                )
            )

    async def _look(self, tenant: int) -> _Known:
        known = self._known.get(tenant)
        if known is None or time.monotonic() - known.read > KNOWN_SECONDS:
            try:
                known = self._known[tenant] = await self._access.read(_going_on, tenant)
            except UnavailableError:  # people get lists as they did a moment ago
                known = known or _Known(time.monotonic(), (), None, {})
        return known

    def _ready(self, known: _Known, version: int | None) -> bool:
        return version is None or known.digests.get(version) in self._engine.models

    def _changed(self, body: RecommendBody, changes: str) -> RecommendBody:
        parsed = self._changes.get(changes)
        if parsed is None:
            parsed = self._changes[changes] = ArmChanges.model_validate_json(changes)
        update = {name: getattr(parsed, name) for name in parsed.model_fields_set}
        if update.keys() & {"behaviour", "task", "objective"}:
            update = {"behaviour": None, "task": None, "objective": None} | update
        return body.model_copy(update=update) if update else body


def _going_on(store: Reading, tenant: int) -> _Known:
    running = tuple(one for one in experiments.experiments(store, tenant) if one.ended is None)
    digests = dict(versions.pinned(store, tenant))
    return _Known(time.monotonic(), running, canaries.canary(store, tenant), digests)
