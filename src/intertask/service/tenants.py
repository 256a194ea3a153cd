"""Tenants and their keys. A key is 256 random bits, kept as a hash; it decides whose data a request sees."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Literal

from intertask.service.database import Reading, Writing, text, whole
from intertask.service.messages import Command, Done, Message
from intertask.service.refusals import ConflictError, MissingError
from intertask.service.schema import now

Role = Literal["read", "ingest", "editor", "admin", "browser"]
ROLES: tuple[Role, ...] = ("read", "ingest", "editor", "admin", "browser")
PREFIX = "it"
FIRST = 1  # whose keys may make other tenants
_PUBLIC = re.compile("[0-9a-f]{12}")


class NewTenant(Message):
    """A tenant that was made."""

    tenant: int


class AddTenant(Command[NewTenant]):
    """Make a tenant."""

    answers = NewTenant
    kind: Literal["add_tenant"] = "add_tenant"
    name: str

    def run(self, store: Writing) -> NewTenant:
        """Make it.

        Raises:
            ConflictError: There is one of that name.
        """
        if store.rows("SELECT tenant FROM tenants WHERE name = ?", (self.name,)):
            raise ConflictError("name", "a name that no tenant has", repr(self.name), "choose another name")
        number = 1 + whole(store.rows("SELECT coalesce(max(tenant), 0) FROM tenants")[0][0])
        store.run("INSERT INTO tenants (tenant, name, created) VALUES (?, ?, ?)", (number, self.name, now()))
        return NewTenant(tenant=number)


class AddKey(Command[Done]):
    """Keep the hash of a key.

    Args:
        key: Its public part.
        digest: Of the whole.
        role: What it may do.
        label: What it is for, in the words of whoever made it.
        per_second: Requests that it may make on average; any number where it is None.
    """

    answers = Done
    kind: Literal["add_key"] = "add_key"
    key: str
    digest: str
    role: Role
    label: str
    per_second: float | None = None

    @property
    def subject(self) -> str:
        """The key and its role."""
        return f"{self.key}: {self.role}"

    def run(self, store: Writing) -> Done:
        """Keep it."""
        store.run(
            "INSERT INTO keys (key, tenant, digest, role, label, created, per_second) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self.key, self.tenant, self.digest, self.role, self.label, now(), self.per_second),
        )
        return Done()


class RevokeKey(Command[Done]):
    """Take a key back."""

    answers = Done
    kind: Literal["revoke_key"] = "revoke_key"
    key: str

    @property
    def subject(self) -> str:
        """The key."""
        return self.key

    def run(self, store: Writing) -> Done:
        """Take it back.

        Raises:
            MissingError: The tenant has no such key.
        """
        owned = "WHERE tenant = ? AND key = ?"
        if not store.rows(f"SELECT key FROM keys {owned}", (self.tenant, self.key)):
            raise MissingError("key", "the public part of one of your keys", repr(self.key))
        changed = store.run(
            f"UPDATE keys SET revoked = ? {owned} AND revoked IS NULL", (now(), self.tenant, self.key)
        )
        return Done(changed=changed > 0)


class KeepSecret(Command[Done]):
    """Keep what the processes of this service sign by; one that is kept already stays."""

    answers = Done
    kind: Literal["keep_secret"] = "keep_secret"
    name: str
    value: str

    def run(self, store: Writing) -> Done:
        """Keep it."""
        kept = "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
        return Done(changed=store.run(kept, (self.name, self.value)) > 0)


@dataclass(frozen=True)
class Holder:
    """Whose key a request came with.

    Args:
        tenant: Its data alone are seen.
        role: What it may do.
        key: The public part.
        per_second: Requests that it may make on average; any number where it is None.
    """

    tenant: int
    role: Role
    key: str
    per_second: float | None = None


def new_key(tenant: int, role: Role, label: str, per_second: float | None = None) -> tuple[str, AddKey]:
    """A key, which is shown once, and the command that keeps its hash."""
    public, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    whole_key = f"{PREFIX}_{public}_{secret}"
    command = AddKey(
        tenant=tenant,
        key=public,
        digest=_digest(whole_key),
        role=role,
        label=label,
        per_second=per_second,
    )
    return whole_key, command


def holder(store: Reading, key: str) -> Holder | None:
    """Whose key it is; None of one that nobody has, or that was taken back."""
    parts = key.split("_", 2)
    public = parts[1] if len(parts) == 3 and parts[0] == PREFIX and _PUBLIC.fullmatch(parts[1]) else ""
    found = store.rows("SELECT tenant, digest, role, revoked, per_second FROM keys WHERE key = ?", (public,))
    tenant, digest, role, revoked, per_second = found[0] if found else (0, "", "read", None, None)
    # Compared in any case, so that the time says nothing of which keys there are.
    same = hmac.compare_digest(_digest(key), text(digest) or _digest(""))
    if not found or not same or revoked is not None:
        return None
    known = next(one for one in ROLES if one == role)
    return Holder(whole(tenant), known, public, None if per_second is None else float(per_second))


def keys(store: Reading, tenant: int) -> list[tuple[str, str, str, int, int | None, float | None]]:
    """The keys of a tenant: public part, role, label, when made and taken back, requests a second."""
    rows = store.rows(
        "SELECT key, role, label, created, revoked, per_second FROM keys WHERE tenant = ? "
        "ORDER BY created, key",
        (tenant,),
    )
    return [
        (
            text(key),
            text(role),
            text(label),
            whole(made),
            None if gone is None else whole(gone),
            None if per_second is None else float(per_second),
        )
        for key, role, label, made, gone, per_second in rows
    ]


def tenants(store: Reading) -> dict[str, int]:
    """All tenants by name."""
    return {
        text(name): whole(number)
        for number, name in store.rows("SELECT tenant, name FROM tenants ORDER BY tenant")
    }


def secret(store: Reading, name: str) -> str | None:
    """What the processes of this service sign by."""
    found = store.rows("SELECT value FROM secrets WHERE name = ?", (name,))
    return text(found[0][0]) if found else None


def revision(store: Reading, tenant: int) -> int:
    """A number that rises whenever an item of the tenant is changed or hidden."""
    return state(store, tenant)[0]


def state(store: Reading, tenant: int) -> tuple[int, int]:
    """The revision of the items, and the number of the last event."""
    found = store.rows("SELECT revision, seq FROM tenants WHERE tenant = ?", (tenant,))
    return (whole(found[0][0]), whole(found[0][1])) if found else (0, 0)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
