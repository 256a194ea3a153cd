"""Where a list that is the same for everybody goes on: version and served items, signed; see `cursors.py`."""

from dataclasses import dataclass, replace
from typing import cast

from intertask.service import continuing
from intertask.service.cursors import LASTS, MOST_SERVED
from intertask.service.refusals import RefusedError
from intertask.service.schema import now

_Fields = tuple[str, int, int, list[int]]


@dataclass(frozen=True)
class Place:
    """A place in a list.

    Args:
        tenant: Whose it is.
        kind: Of the list.
        about: An item that the list is about.
        version: Of the model that answers; the active one where it is None.
        served: Marks of the items of the pages before.
        until: When it ends, in microseconds since 1970.
    """

    tenant: int
    kind: str
    about: str
    version: int | None = None
    served: tuple[int, ...] = ()
    until: int = 0

    @property
    def goes_on(self) -> bool:
        """Whether it may have one more page."""
        return len(self.served) < MOST_SERVED

    def further(self, version: int, items: list[int]) -> "Place":
        """Behind some more items."""
        until = self.until or now() + LASTS
        return replace(self, version=version, served=(*self.served, *items), until=until)

    def written(self, secret: bytes) -> str:
        """As a cursor."""
        end: list[object] = [self.about, self.version, self.until, list(self.served)]
        return continuing.written(self.tenant, self.kind, end, secret)

    @classmethod
    def read(cls, text: str, tenant: int, kind: str, secret: bytes) -> "Place":
        """That of a cursor.

        Raises:
            RefusedError: It is none of this service, this tenant and this route, or it has ended.
        """
        end = continuing.behind(text, tenant, kind, secret)
        about, version, until, served = cast("_Fields", end)
        if until < now():
            raise RefusedError("cursor", "one of the last 30 minutes", "an older one", continuing.HINT)
        return cls(tenant, kind, about, version, tuple(served), until)
