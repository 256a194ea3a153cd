"""Versions of a tenant's models, the aliases that name them, and which process has loaded what.

The folders themselves are the registry's (`registry.py`); here stands which of them a request is answered by.
"""

import json
from typing import Literal

from intertask.service.database import Reading, Row, Writing, text, whole
from intertask.service.messages import Command, Message
from intertask.service.refusals import ConflictError, MissingError
from intertask.service.schema import now
from intertask.service.webhooks import emit

Facts = dict[str, str | int | float | bool | None]
LIVING = 5_000_000  # microseconds after its last sign of life in which a process counts as there
ACTIVE = "active"
ROWS = "rows"  # the alias of the model that answers rows
NEXT = "next:"  # before the name of an alias: what every process loads before the alias itself is raised


class Version(Message):
    """A version of a model.

    Args:
        version: From 1, within the tenant.
        digest: Of its folder.
        facts: What is told of it.
        created: When it was added.
    """

    version: int
    digest: str
    facts: Facts
    created: int

    @property
    def alias(self) -> str:
        """The name that it is published under: models of rows have one of their own."""
        return ROWS if self.facts.get("kind") == ROWS else ACTIVE


class Alias(Message):
    """A name for a version.

    Args:
        alias: The name.
        version: Which is answered by.
        before: The one before, which a rollback goes back to.
    """

    alias: str
    version: int
    before: int | None = None


class AddVersion(Command[Version]):
    """Add a model whose folder is complete; the same folder is the same version."""

    answers = Version
    kind: Literal["add_version"] = "add_version"
    digest: str
    facts: Facts = {}

    def run(self, store: Writing) -> Version:
        """Add it."""
        store.rows("UPDATE tenants SET seq = seq WHERE tenant = ? RETURNING seq", (self.tenant,))
        known = store.rows(
            f"SELECT {_COLUMNS} FROM models WHERE tenant = ? AND digest = ?", (self.tenant, self.digest)
        )
        if known:
            return _version(known[0])
        found = store.rows("SELECT coalesce(max(version), 0) FROM models WHERE tenant = ?", (self.tenant,))
        version = Version(version=1 + whole(found[0][0]), digest=self.digest, facts=self.facts, created=now())
        store.run(
            "INSERT INTO models (tenant, version, digest, facts, created) VALUES (?, ?, ?, ?, ?)",
            (self.tenant, version.version, self.digest, json.dumps(self.facts), version.created),
        )
        return version


class Raise(Command[Alias]):
    """Have an alias name a version, from the next request on.

    Args:
        alias: The name.
        version: A version of the tenant.
        instead_of: The version that it must name now; anything where it is None.
    """

    answers = Alias
    kind: Literal["raise"] = "raise"
    alias: str = ACTIVE
    version: int
    instead_of: int | None = None

    @property
    def subject(self) -> str:
        """The name and the version."""
        return f"{self.alias}: version {self.version}"

    def run(self, store: Writing) -> Alias:
        """Raise it.

        Raises:
            MissingError: There is no such version.
            ConflictError: Somebody else has moved the alias.
        """
        if version(store, self.tenant, self.version) is None:
            raise MissingError("version", "a version of your models", str(self.version), "see GET /v1/models")
        store.rows("UPDATE tenants SET seq = seq WHERE tenant = ? RETURNING seq", (self.tenant,))
        before = alias(store, self.tenant, self.alias)
        if self.instead_of is not None and (before is None or before.version != self.instead_of):
            found = "none" if before is None else str(before.version)
            raise ConflictError(
                f"alias {self.alias}", f"version {self.instead_of}", found, "look again, and decide anew"
            )
        if before is not None and before.version == self.version:
            return before
        named = Alias(
            alias=self.alias, version=self.version, before=None if before is None else before.version
        )
        store.run(
            "INSERT INTO aliases (tenant, alias, version, before, updated) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (tenant, alias) DO UPDATE SET version = excluded.version, "
            "before = excluded.before, updated = excluded.updated",
            (self.tenant, self.alias, named.version, named.before, now()),
        )
        if not self.alias.startswith(NEXT):
            emit(store, self.tenant, "model.published", {"alias": self.alias, "version": named.version})
        return named


class RollBack(Command[Alias]):
    """Have an alias name the version that it named before."""

    answers = Alias
    kind: Literal["roll_back"] = "roll_back"
    alias: str = ACTIVE

    def run(self, store: Writing) -> Alias:
        """Go back.

        Raises:
            ConflictError: There is none before.
        """
        found = alias(store, self.tenant, self.alias)
        if found is None or found.before is None:
            raise ConflictError(
                f"alias {self.alias}", "a version before", "none", "publish another version instead"
            )
        return Raise(tenant=self.tenant, alias=self.alias, version=found.before).run(store)


class Alive(Command[Message]):
    """A sign of life of a process that answers, with the digests of the models that it has loaded.

    Args:
        worker: Its name.
        ready: Digests.
        refused: Digests that it could not load, and why.
    """

    answers = Message
    kind: Literal["alive"] = "alive"
    worker: str
    ready: tuple[str, ...] = ()
    refused: dict[str, str] = {}
    gone: bool = False

    def run(self, store: Writing) -> Message:
        """Note it."""
        moment = now()
        store.run("DELETE FROM workers WHERE worker = ? OR seen < ?", (self.worker, moment - 12 * LIVING))
        if not self.gone:
            store.run(
                "INSERT INTO workers (worker, seen, ready, refused) VALUES (?, ?, ?, ?)",
                (self.worker, moment, json.dumps(self.ready), json.dumps(self.refused)),
            )
        return Message()


_COLUMNS = "version, digest, facts, created"


def version(store: Reading, tenant: int, number: int) -> Version | None:
    """One version."""
    rows = store.rows(f"SELECT {_COLUMNS} FROM models WHERE tenant = ? AND version = ?", (tenant, number))
    return _version(rows[0]) if rows else None


def versions(store: Reading, tenant: int) -> list[Version]:
    """All versions of a tenant, the newest first."""
    rows = store.rows(f"SELECT {_COLUMNS} FROM models WHERE tenant = ? ORDER BY version DESC", (tenant,))
    return [_version(row) for row in rows]


def alias(store: Reading, tenant: int, name: str = ACTIVE) -> Alias | None:
    """What a name stands for."""
    rows = store.rows("SELECT version, before FROM aliases WHERE tenant = ? AND alias = ?", (tenant, name))
    if not rows:
        return None
    number, before = rows[0]
    return Alias(alias=name, version=whole(number), before=None if before is None else whole(before))


def active(store: Reading, tenant: int, name: str = ACTIVE) -> Version | None:
    """The version that a name stands for."""
    rows = store.rows(
        "SELECT models.version, models.digest, models.facts, models.created FROM aliases JOIN models "
        "ON models.tenant = aliases.tenant AND models.version = aliases.version "
        "WHERE aliases.tenant = ? AND aliases.alias = ?",
        (tenant, name),
    )
    return _version(rows[0]) if rows else None


def wanted(store: Reading) -> list[str]:
    """Digests that aliases name; those that they named before too, so that a rollback is at once."""
    rows = store.rows(
        "SELECT DISTINCT models.digest FROM aliases JOIN models ON models.tenant = aliases.tenant "
        "AND (models.version = aliases.version OR (models.version = aliases.before AND "
        f"substr(aliases.alias, 1, {len(NEXT)}) <> ?)) UNION SELECT models.digest FROM pins JOIN models "
        "ON models.tenant = pins.tenant AND models.version = pins.version ORDER BY 1",
        (NEXT,),
    )
    return [text(row[0]) for row in rows]


def pin(store: Writing, tenant: int, owner: str, number: int) -> None:
    """Have every process keep a version in memory."""
    store.run(
        "INSERT INTO pins (tenant, owner, version) VALUES (?, ?, ?) "
        "ON CONFLICT (tenant, owner, version) DO NOTHING",
        (tenant, owner, number),
    )


def unpin(store: Writing, tenant: int, owner: str) -> None:
    """Let go what somebody had kept in memory."""
    store.run("DELETE FROM pins WHERE tenant = ? AND owner = ?", (tenant, owner))


def pinned(store: Reading, tenant: int) -> list[tuple[int, str]]:
    """The versions that somebody has kept in memory, with their digests."""
    rows = store.rows(
        "SELECT DISTINCT models.version, models.digest FROM pins JOIN models ON models.tenant = pins.tenant "
        "AND models.version = pins.version WHERE pins.tenant = ?",
        (tenant,),
    )
    return [(whole(number), text(digest)) for number, digest in rows]


def owners(store: Reading, digest: str) -> list[int]:
    """The tenants that have a model."""
    rows = store.rows("SELECT DISTINCT tenant FROM models WHERE digest = ? ORDER BY tenant", (digest,))
    return [whole(row[0]) for row in rows]


def readiness(store: Reading, digest: str) -> tuple[int, int, list[str]]:
    """How many of the living processes have loaded a model, how many live, and why others refused it."""
    rows = store.rows("SELECT ready, refused FROM workers WHERE seen > ?", (now() - LIVING,))
    ready = sum(digest in json.loads(text(one)) for one, _ in rows)
    refused = [json.loads(text(other)) for _, other in rows]
    return ready, len(rows), [reasons[digest] for reasons in refused if digest in reasons]


def _version(row: Row) -> Version:
    number, digest, facts, created = row
    return Version(
        version=whole(number), digest=text(digest), facts=json.loads(text(facts)), created=whole(created)
    )
