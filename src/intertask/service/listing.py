"""Looking through items and people in the order of their ids: a page is found by the keys of the table."""

import json
from dataclasses import dataclass

from intertask.service.database import Reading, text, whole
from intertask.service.properties import Item, Properties

_LAST = "\U0010ffff"  # no character stands behind it


@dataclass(frozen=True)
class Known:
    """Somebody with events or properties.

    Args:
        person: Their id.
        properties: What the tenant says of them.
        last: The time of their last event, in microseconds since 1970; None where there is none.
    """

    person: str
    properties: Properties
    last: int | None


def items(store: Reading, tenant: int, begins: str, after: str, most: int) -> list[Item]:
    """The next items whose ids begin with a text, behind an id."""
    rows = store.rows(
        "SELECT item, properties, hidden FROM items WHERE tenant = ? AND item > ? AND item >= ? AND item < ? "
        "AND gone = 0 ORDER BY item LIMIT ?",
        (tenant, after, begins, begins + _LAST, most),
    )
    return [
        Item(item=text(name), properties=json.loads(text(known)), hidden=hidden == 1)
        for name, known, hidden in rows
    ]


def people(store: Reading, tenant: int, begins: str, after: str, most: int) -> list[Known]:
    """The next people whose ids begin with a text, behind an id: with events, with properties or both."""
    end = begins + _LAST
    rows = store.rows(
        "SELECT person, properties FROM people "
        "WHERE tenant = ? AND person > ? AND person >= ? AND person < ? ORDER BY person LIMIT ?",
        (tenant, after, begins, end, most),
    )
    known: dict[str, Properties] = {text(name): json.loads(text(told)) for name, told in rows}
    # From one person to the next by the key of the table: nobody's events are looked through.
    least = "(SELECT min(person) FROM events WHERE tenant = ? AND person > {} AND person >= ? AND person < ?)"
    active = store.rows(
        f"WITH RECURSIVE found (person) AS (SELECT {least.format('?')} UNION ALL "
        f"SELECT {least.format('found.person')} FROM found WHERE person IS NOT NULL) "
        "SELECT person FROM found WHERE person IS NOT NULL LIMIT ?",
        (tenant, after, begins, end, tenant, begins, end, most),
    )
    found = sorted({*known, *(text(row[0]) for row in active)}, key=lambda one: one.encode())[:most]
    return [Known(one, known.get(one, {}), _last(store, tenant, one)) for one in found]


def _last(store: Reading, tenant: int, person: str) -> int | None:
    rows = store.rows("SELECT max(time) FROM events WHERE tenant = ? AND person = ?", (tenant, person))
    return None if rows[0][0] is None else whole(rows[0][0])
