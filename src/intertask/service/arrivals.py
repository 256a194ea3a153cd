"""Items that a tenant has set since the training: a model that reads content recommends them at once.

Beside each such model stands one that has these items as well, made anew when they change. It is the same
network; what the tenant says of an item becomes its vector, as for an item of the catalogue. Making it costs
a copy of the model, so that one in twenty seconds goes into it at most, however often items are set.
"""

import asyncio
import sys
import time
import traceback
from dataclasses import dataclass, field

from intertask.errors import IntertaskError
from intertask.newcomers.items import joining
from intertask.service import cataloguing, properties, tenants, versions
from intertask.service.access import Access
from intertask.service.database import Reading
from intertask.service.engine import Engine
from intertask.service.loaded import Loaded
from intertask.service.questions import Value

MOST = 20_000  # items of a tenant that a model has not been trained on
REST = 20.0  # times as long as it took until it is made anew


@dataclass
class _Known:
    """What a tenant has set beside the items of a model.

    Args:
        revision: Up to which it was read.
        items: The properties of items that the model does not know.
        changed: Whether the model beside does not have them yet.
        due: When that may be made, by the monotonic clock.
    """

    revision: int = -1
    items: dict[str, dict[str, Value]] = field(default_factory=dict)
    changed: bool = False
    due: float = 0.0


class Arrivals:
    """Keeps the larger models of an engine.

    Args:
        access: To the store.
        engine: Whose models they are.
    """

    def __init__(self, access: Access, engine: Engine) -> None:
        self._access, self._engine = access, engine
        self._known: dict[tuple[int, str], _Known] = {}

    async def look(self) -> None:
        """Take what was set since the last look.

        Raises:
            RefusedError: The store cannot be reached.
        """
        following = set()
        for digest, model in self._engine.models.items():
            if model.reads_content:
                for tenant in await self._access.read(versions.owners, digest):
                    following.add((tenant, digest))
                    await self._follow(tenant, model)
        self._known = {key: one for key, one in self._known.items() if key in following}
        self._engine.grown = {key: one for key, one in self._engine.grown.items() if key in following}

    async def _follow(self, tenant: int, model: Loaded) -> None:
        key = tenant, model.digest
        known = self._known.setdefault(key, _Known())
        revision = await self._access.read(tenants.revision, tenant)
        if revision > known.revision:
            _take(known, await self._access.read(properties.since, tenant, known.revision), model)
            known.revision = revision
        if not known.changed or time.monotonic() < known.due:
            return
        began, known.changed = time.monotonic(), False
        if known.items:
            try:
                made = await asyncio.to_thread(_made, model, dict(known.items))
            except Exception as error:  # its encoder is not here, say: the model goes on without them
                told = error if isinstance(error, IntertaskError) else traceback.format_exc()
                sys.stderr.write(f"new items of tenant {tenant}: {told}\n")
                return
            await self._access.read(filled, made, tenant)
            self._engine.grown = self._engine.grown | {key: made}
        else:
            self._engine.grown = {own: one for own, one in self._engine.grown.items() if own != key}
        known.due = time.monotonic() + REST * (time.monotonic() - began)


def _take(known: _Known, items: list[properties.Item], model: Loaded) -> None:
    places = model.places([one.item for one in items]).tolist()
    for one, place in zip(items, places, strict=True):
        before = known.items.get(one.item)
        if place >= 0 or dict(one.properties) == (before or {}):
            continue
        known.changed = True
        if one.properties and (before is not None or len(known.items) < MOST):
            known.items[one.item] = dict(one.properties)
        else:  # deleted, or one too many
            known.items.pop(one.item, None)


def _made(model: Loaded, items: dict[str, dict[str, Value]]) -> Loaded:
    catalogue = model.recommender.catalogue
    assert catalogue is not None
    rows = {name: items[name] for name in sorted(items)}
    joined = joining(model.recommender.answerer, cataloguing.table(rows, catalogue.roles()))
    made = Loaded(model.digest, model.recommender, joined.answerer)
    made.warm()
    return made


def filled(store: Reading, model: Loaded, tenant: int) -> None:
    """Read a tenant's items before the first request does."""
    model.shelf(tenant).refresh(store, tenants.revision(store, tenant))
