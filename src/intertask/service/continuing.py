"""Where a list goes on: a signed cursor of one tenant and one list; knows nothing of what is listed."""

from intertask.service import cursors
from intertask.service.refusals import RefusedError

HINT = "ask for the first page again, without a cursor"


def behind(cursor: str, tenant: int, kind: str, secret: bytes) -> list[object]:
    """Where a page begins: what was said of the end of the one before.

    Args:
        cursor: Of the page before.
        tenant: Who asks.
        kind: Of the list.
        secret: By which it was signed.

    Raises:
        RefusedError: It is none of this service, this tenant and this list.
    """
    table = cursors.opened(cursor, secret, HINT)
    if len(table) == cursors.FIELDS or table[:2] != [kind, tenant]:
        raise RefusedError("cursor", "the cursor of an answer of this route", "another text", HINT)
    return table[2:]


def written(tenant: int, kind: str, end: list[object], secret: bytes) -> str:
    """The cursor of the page behind an end."""
    return cursors.sealed([kind, tenant, *end], secret)


def further(k: int, found: int, tenant: int, kind: str, end: list[object], secret: bytes) -> dict[str, str]:
    """The cursor of the next page of `k` rows, where there may be one."""
    return {} if found < k else {"cursor": written(tenant, kind, end, secret)}
