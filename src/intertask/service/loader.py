"""Loads the models that aliases name, beside the requests, and tells the store which are ready."""

import asyncio
import contextlib
import sys
import traceback

from intertask.errors import IntertaskError
from intertask.service import registry, versions
from intertask.service.access import Access
from intertask.service.arrivals import Arrivals, filled
from intertask.service.engine import Engine
from intertask.service.predicting import Predicting
from intertask.service.refusals import RefusedError
from intertask.service.settings import Place
from intertask.service.versions import LIVING, Alive

SECONDS = 0.25  # between two looks at what is wanted
LIFE_SECONDS = LIVING / 1_000_000 / 3  # between two signs of life


class Loader:
    """Keeps the models of an engine as the store wants them.

    Args:
        place: Where the models are.
        access: To the store.
        engine: Whose models they are.
        name: Of this process.
    """

    def __init__(self, place: Place, access: Access, engine: Engine, name: str) -> None:
        self._place, self._access, self._engine, self._name = place, access, engine, name
        self._refused: dict[str, str] = {}
        self._arrivals = Arrivals(access, engine)
        self._told: tuple[tuple[str, ...], dict[str, str]] | None = None
        self._last = 0.0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load what is wanted now, and go on looking."""
        await self.look()
        self._task = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Say that this process is no longer there."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with contextlib.suppress(RefusedError):
            await self._access.write(Alive(worker=self._name, gone=True))

    async def look(self) -> None:
        """Load what is wanted and missing, drop what nothing names any more, and tell the store.

        Raises:
            RefusedError: The store cannot be reached.
        """
        wanted = await self._access.read(versions.wanted)
        for digest in wanted:
            known = digest in self._engine.models or digest in self._engine.predictors
            if known or digest in self._refused:
                continue
            try:
                model = await asyncio.to_thread(registry.read, self._place.models, digest)
            except IntertaskError as error:
                self._refused[digest] = str(error)
            except Exception as error:  # whatever is wrong with a candidate, what answers goes on
                self._refused[digest] = f"{type(error).__name__}: {error}"
            else:
                if isinstance(model, Predicting):
                    self._engine.predictors = self._engine.predictors | {digest: model}
                    continue
                for tenant in await self._access.read(versions.owners, digest):
                    await self._access.read(filled, model, tenant)
                self._engine.models = self._engine.models | {digest: model}
        self._engine.models = {name: one for name, one in self._engine.models.items() if name in wanted}
        predictors = self._engine.predictors.items()
        self._engine.predictors = {name: one for name, one in predictors if name in wanted}
        self._refused = {name: reason for name, reason in self._refused.items() if name in wanted}
        await self._arrivals.look()
        await self._tell()

    async def _tell(self) -> None:
        state = tuple(sorted((*self._engine.models, *self._engine.predictors))), dict(self._refused)
        moment = asyncio.get_running_loop().time()
        if state == self._told and moment - self._last < LIFE_SECONDS:
            return
        ready, refused = state
        await self._access.write(Alive(worker=self._name, ready=ready, refused=refused))
        self._told, self._last = state, moment

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            try:
                await self.look()
            except RefusedError:  # the store is away for a moment
                pass
            except Exception:  # this process must go on to load what is published
                traceback.print_exc(file=sys.stderr)
