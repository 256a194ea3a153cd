"""What a process that answers has at hand, and what it knows of one request."""

import time
from dataclasses import dataclass, field

from intertask.service import tenants
from intertask.service.access import Access
from intertask.service.engine import Engine
from intertask.service.limits import Limits
from intertask.service.loaded import Loaded
from intertask.service.recorder import Recorder
from intertask.service.refusals import MissingError, UnavailableError, UnknownKeyError
from intertask.service.settings import Place
from intertask.service.tenants import Holder
from intertask.service.treatments import Treatments

KNOWN_SECONDS = 1.0  # after which a key is looked up again: one that was taken back opens nothing then
MOST_KEYS = 10_000


@dataclass(frozen=True)
class Call:
    """One request.

    Args:
        holder: Whose key it came with.
        idempotency: Its Idempotency-Key.
        digest: Of its body.
        upload: The name of the file that came as its body, among the uploads.
    """

    holder: Holder
    idempotency: str | None = None
    digest: str = ""
    upload: str = ""

    @property
    def tenant(self) -> int:
        """Whose data it concerns."""
        return self.holder.tenant


@dataclass
class Running:
    """The parts of a process that answers.

    Args:
        place: Of the service.
        access: To the store.
        engine: With the models.
        secret: What cursors are signed by.
        recorder: Keeps the lists that are given.
        treatments: Which version answers a request and how.
        limits: How many requests a key may make.
        under_way: Requests that are being answered.
    """

    place: Place
    access: Access
    engine: Engine
    secret: bytes
    recorder: Recorder
    treatments: Treatments
    limits: Limits
    under_way: int = 0
    _keys: dict[str, tuple[float, Holder]] = field(default_factory=dict)
    _models: dict[int, tuple[float, Loaded | None]] = field(default_factory=dict)

    @property
    def logged(self) -> bool:
        """Whether each request is written to the log."""
        return self.place.settings.log == "requests"

    async def model(self, tenant: int) -> Loaded | None:
        """The model that answered a tenant within the last second; None where nothing is published."""
        known = self._models.get(tenant)
        if known is not None and time.monotonic() - known[0] < KNOWN_SECONDS:
            return known[1]
        try:
            found = (await self.engine.named(self.access, tenant)).model
        except MissingError:
            found = None
        except UnavailableError:
            return None if known is None else known[1]
        self._models[tenant] = time.monotonic(), found
        return found

    async def holder(self, key: str) -> Holder:
        """Whose key it is.

        Raises:
            UnknownKeyError: Nobody's.
        """
        known = self._keys.get(key)
        if known is not None and time.monotonic() - known[0] < KNOWN_SECONDS:
            return known[1]
        found = await self.access.read(tenants.holder, key)
        if found is None:
            self._keys.pop(key, None)
            raise UnknownKeyError(
                "Authorization",
                "Bearer and a key of this service",
                "another text",
                "`intertask serve --new-key` makes one",
            )
        if len(self._keys) >= MOST_KEYS:
            self._keys.clear()
        self._keys[key] = time.monotonic(), found
        return found
