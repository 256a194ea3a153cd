"""Webhooks: what happens is told to addresses that a tenant names, signed, and tried again until it is heard.

What is to be told is written in the transaction of what happened; whoever delivers it takes it from there.
"""

import hashlib
import hmac
import json
import secrets
from typing import Literal
from urllib.parse import urlsplit

from intertask.service.database import Reading, Writing, text, whole
from intertask.service.messages import Command, Done, Message
from intertask.service.networks import may_be_open
from intertask.service.refusals import ConflictError, RefusedError
from intertask.service.schema import now

MOST = 20  # of a tenant
TRIES = 8
FIRST_WAIT = 10_000_000  # microseconds; twice as long each time
TOGETHER = 20


class Delivery(Message):
    """Something that is to be told.

    Args:
        delivery: Its id, the same for each try.
        url: To whom.
        secret: What it is signed by.
        body: JSON.
        tries: How often it was tried.
    """

    delivery: str
    url: str
    secret: str
    body: str
    tries: int

    def signature(self, moment: int) -> str:
        """The header that says it comes from here, at a second since 1970."""
        signed = hmac.digest(self.secret.encode(), f"{moment}.{self.body}".encode(), hashlib.sha256)
        return f"t={moment},v1={signed.hex()}"


class PutWebhook(Command[Done]):
    """Set an address; one of the same name is replaced."""

    answers = Done
    kind: Literal["put_webhook"] = "put_webhook"
    name: str
    url: str
    secret: str

    @property
    def subject(self) -> str:
        """Its name."""
        return self.name

    def run(self, store: Writing) -> Done:
        """Set it.

        Raises:
            ConflictError: There are too many.
        """
        store.run(
            "INSERT INTO webhooks (tenant, name, url, secret) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (tenant, name) DO UPDATE SET url = excluded.url, secret = excluded.secret",
            (self.tenant, self.name, self.url, self.secret),
        )
        if len(webhooks(store, self.tenant)) > MOST:
            raise ConflictError("webhooks", f"at most {MOST}", "one more", "delete one first")
        return Done()


class DeleteWebhook(Command[Done]):
    """Delete an address, and what it was to be told."""

    answers = Done
    kind: Literal["delete_webhook"] = "delete_webhook"
    name: str

    @property
    def subject(self) -> str:
        """Its name."""
        return self.name

    def run(self, store: Writing) -> Done:
        """Delete it."""
        whose = "WHERE tenant = ? AND name = ?"
        store.run(f"DELETE FROM deliveries {whose}", (self.tenant, self.name))
        return Done(changed=store.run(f"DELETE FROM webhooks {whose}", (self.tenant, self.name)) > 0)


class Delivered(Command[Done]):
    """Say what became of a try: heard, or to be tried again later, or never again."""

    answers = Done
    kind: Literal["delivered"] = "delivered"
    delivery: str
    heard: bool

    def run(self, store: Writing) -> Done:
        """Note it."""
        rows = store.rows("SELECT tries FROM deliveries WHERE delivery = ?", (self.delivery,))
        tries = 1 + (whole(rows[0][0]) if rows else TRIES)
        if self.heard or tries >= TRIES:
            return Done(changed=store.run("DELETE FROM deliveries WHERE delivery = ?", (self.delivery,)) > 0)
        due = now() + FIRST_WAIT * 2 ** (tries - 1)
        store.run("UPDATE deliveries SET tries = ?, due = ? WHERE delivery = ?", (tries, due, self.delivery))
        return Done()


def new_secret() -> str:
    """What an address checks signatures by, shown once."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def checked_url(url: str, *, private: bool = True) -> str:
    """An address that may be told something; whose machine a name means is looked at when it is.

    Args:
        url: The address.
        private: Whether it may be of this machine or of a private network.

    Raises:
        RefusedError: It is no plain http or https address, or of a network where nobody may be told.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = parts.scheme in ("http", "https") and parts.hostname and not parts.username and not parts.fragment
    if not plain or port == 0 or not url.isascii() or any(ord(one) <= 32 for one in url):
        raise RefusedError("url", "an address such as https://shop.example/hook", "another text")
    if not private and not may_be_open(parts.hostname or ""):
        hint = "set private_webhooks = true in service.toml"
        raise RefusedError(
            "url", "an address of the open network", "one of this machine or a private one", hint
        )
    return url


def emit(store: Writing, tenant: int, event: str, told: dict[str, str | int | bool]) -> None:
    """Have every address of a tenant be told what happens in this transaction."""
    moment = now()
    for name in webhooks(store, tenant):
        delivery = f"wh_{secrets.token_hex(12)}"
        body = json.dumps({"id": delivery, "event": event, "at": moment // 1_000_000} | told)
        store.run(
            "INSERT INTO deliveries (delivery, tenant, name, body, tries, due) VALUES (?, ?, ?, ?, 0, ?)",
            (delivery, tenant, name, body, moment),
        )


def webhooks(store: Reading, tenant: int) -> dict[str, str]:
    """The addresses of a tenant by name."""
    rows = store.rows("SELECT name, url FROM webhooks WHERE tenant = ? ORDER BY name", (tenant,))
    return {text(name): text(url) for name, url in rows}


def due(store: Reading) -> list[Delivery]:
    """What is to be told now, the oldest first."""
    rows = store.rows(
        "SELECT deliveries.delivery, webhooks.url, webhooks.secret, deliveries.body, deliveries.tries "
        "FROM deliveries JOIN webhooks ON webhooks.tenant = deliveries.tenant "
        "AND webhooks.name = deliveries.name WHERE deliveries.due <= ? ORDER BY deliveries.due LIMIT ?",
        (now(), TOGETHER),
    )
    return [
        Delivery(delivery=text(one), url=text(url), secret=text(secret), body=text(body), tries=whole(tries))
        for one, url, secret, body, tries in rows
    ]
