"""Cursors: what a list was asked by and what of it has been given, signed, so that pages may be asked again.

A cursor names the version that answered and the number of the tenant's last event at that time: the pages
behind it are of one list, whatever comes in meanwhile. No process remembers anything.
"""

import base64
import binascii
import hashlib
import hmac
import json
import zlib
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from intertask.service import answers
from intertask.service.fields import spelled
from intertask.service.list_bodies import RecommendBody
from intertask.service.reading import checked
from intertask.service.refusals import RefusedError
from intertask.service.schema import now
from intertask.storage.untrusted import json_of

LASTS = 30 * 60 * 1_000_000  # microseconds
MOST_SERVED = 10_000  # items, of all pages
LONGEST = 65_536  # characters
_SIGNATURE = 32  # bytes
FIELDS = 8
_Fields = tuple[int, object, int, int, int, list[int], str | None, str | None]
_HINT = "ask for the first page again: POST /v1/recommend"


@dataclass(frozen=True)
class Cursor:
    """Where a list goes on.

    Args:
        tenant: Whose it is.
        body: As the first page was asked for.
        version: Of the model that answers.
        seq: The number of the last event that counts.
        until: When it ends, in microseconds since 1970.
        served: Indices of the items that were given, int32.
        experiment: The experiment that the list is part of.
        arm: Of that.
    """

    tenant: int
    body: RecommendBody
    version: int
    seq: int
    until: int
    served: NDArray[np.int32]
    experiment: str | None = None
    arm: str | None = None


def written(cursor: Cursor, secret: bytes) -> str:
    """A cursor as text of letters, digits, - and _."""
    table: list[object] = [
        cursor.tenant,
        _table(cursor.body),
        cursor.version,
        cursor.seq,
        cursor.until,
        cursor.served.tolist(),
        cursor.experiment,
        cursor.arm,
    ]
    return sealed(table, secret)


def sealed(table: list[object], secret: bytes) -> str:
    """A table as signed text of letters, digits, - and _."""
    content = zlib.compress(json.dumps(table, separators=(",", ":")).encode())
    return base64.urlsafe_b64encode(_signed(content, secret) + content).decode().rstrip("=")


def opened(text: str, secret: bytes, hint: str = _HINT) -> list[object]:
    """The table that was sealed.

    Raises:
        RefusedError: It was not, by this service.
    """
    try:
        whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        whole = b""
    signature, content = whole[:_SIGNATURE], whole[_SIGNATURE:]
    if not hmac.compare_digest(signature, _signed(content, secret)):
        raise RefusedError("cursor", "the cursor of an answer", "another text", hint)
    # What carries our signature is what we wrote.
    table = json_of(zlib.decompress(content), "cursor")
    assert isinstance(table, list)
    return table


def read(text: str, tenant: int, secret: bytes) -> Cursor:
    """The cursor that was written.

    Raises:
        RefusedError: It is none of this service and this tenant, or it has ended.
    """
    table = opened(text, secret)
    if len(table) != FIELDS:
        raise RefusedError("cursor", "the cursor of POST /v1/recommend", "that of another route", _HINT)
    owner, body, version, seq, until, served, experiment, arm = cast("_Fields", table)
    if owner != tenant:
        raise RefusedError("cursor", "the cursor of an answer", "another text", _HINT)
    if until < now():
        raise RefusedError("cursor", "one of the last 30 minutes", "an older one", _HINT)
    return Cursor(
        owner, checked(body, RecommendBody), version, seq, until, np.array(served, np.int32), experiment, arm
    )


def page_id(cursor: Cursor, k: int, secret: bytes) -> str:
    """The id of the page that a cursor leads to: the same whenever it is asked for."""
    table = [cursor.tenant, _table(cursor.body), cursor.version, cursor.seq, cursor.served.tolist(), k]
    content = json.dumps(table, separators=(",", ":")).encode()
    return answers.first(cursor.until - LASTS) + _signed(content, secret).hex()[:20]


def _table(body: RecommendBody) -> dict[str, object]:
    """A body as JSON that is read back as the same; moments are written as such."""
    table = body.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    for part in (table, *table.get("history", ())):
        for name in ("at", "time"):
            if name in part:
                part[name] = spelled(part[name])
    return table


def _signed(content: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, content, hashlib.sha256)
