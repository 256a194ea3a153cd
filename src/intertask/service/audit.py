"""Who changed what, by which key and when: written in the transaction of the change itself."""

from dataclasses import dataclass

from intertask.service.database import Reading, Writing, text, whole
from intertask.service.schema import now


@dataclass(frozen=True)
class Entry:
    """One change.

    Args:
        at: Microseconds since 1970.
        key: The public part of the key.
        action: The kind of the command.
        subject: What it concerned; never who.
    """

    at: int
    key: str
    action: str
    subject: str


def note(store: Writing, tenant: int, key: str, action: str, subject: str) -> None:
    """Write a change down."""
    store.run(
        "INSERT INTO audit (tenant, at, key, action, subject) VALUES (?, ?, ?, ?, ?)",
        (tenant, now(), key, action, subject),
    )


def entries(store: Reading, tenant: int, most: int) -> list[Entry]:
    """The last changes, the newest first."""
    rows = store.rows(
        "SELECT at, key, action, subject FROM audit WHERE tenant = ? ORDER BY at DESC LIMIT ?", (tenant, most)
    )
    return [Entry(whole(at), text(key), text(action), text(subject)) for at, key, action, subject in rows]
