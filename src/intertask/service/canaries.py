"""A candidate that answers some of the requests for a while, and goes back by itself where it does worse."""

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from intertask.service.database import Reading, Writing, whole
from intertask.service.messages import Command, Done, Message
from intertask.service.refusals import ConflictError, MissingError
from intertask.service.schema import now
from intertask.service.versions import Raise, alias, pin, unpin
from intertask.service.webhooks import emit

MINUTE = 60_000_000  # microseconds
LEAST = 20  # requests of the candidate before anything is made of their shares
LEAST_TIMED = 50  # before anything is made of their time
WORSE = 0.05  # more of the lists are empty or from popularity
SLOWER, SLOWER_SECONDS = 2.0, 0.02  # twice the time, and so much more
_OWNER = "canary"


class Canary(Message):
    """A candidate.

    Args:
        version: Of the model.
        share: Of the people, or of the requests without one, that it answers.
        until: When it is published.
    """

    version: int
    share: float
    until: int


@dataclass(frozen=True)
class Counts:
    """What came of the requests that a version answered.

    Args:
        requests: How many.
        failures: How many it could not answer itself.
        empty: How many lists had no item.
        seconds: That all of them took together.
    """

    requests: int = 0
    failures: int = 0
    empty: int = 0
    seconds: float = 0.0


class StartCanary(Command[Done]):
    """Have a version that every process has ready answer some of the requests."""

    answers = Done
    kind: Literal["start_canary"] = "start_canary"
    version: int
    share: float
    minutes: float

    @property
    def subject(self) -> str:
        """The version and its share."""
        return f"version {self.version}, share {self.share:g}, {self.minutes:g} minutes"

    def run(self, store: Writing) -> Done:
        """Begin.

        Raises:
            MissingError: Nothing is published yet.
            ConflictError: There is another candidate, or the version answers already.
        """
        active = alias(store, self.tenant)
        if active is None:
            raise MissingError("model", "a published model", "none", "publish one without a canary first")
        running = canary(store, self.tenant)
        if running is not None or active.version == self.version:
            found = f"version {self.version} itself" if running is None else f"version {running.version}"
            raise ConflictError("canary", "no other candidate", found, "roll it back first")
        until = now() + int(self.minutes * MINUTE)
        pin(store, self.tenant, _OWNER, self.version)
        store.run("DELETE FROM canary_counts WHERE tenant = ?", (self.tenant,))
        store.run(
            "INSERT INTO canaries (tenant, version, share, until) VALUES (?, ?, ?, ?)",
            (self.tenant, self.version, self.share, until),
        )
        return Done()


class EndCanary(Command[Done]):
    """Have the candidate go, or answer everything from now on.

    Args:
        version: Which must be the candidate.
        promote: Whether it is published.
        reason: Why, for the list of changes.
    """

    answers = Done
    kind: Literal["end_canary"] = "end_canary"
    version: int
    promote: bool
    reason: str

    @property
    def subject(self) -> str:
        """The version, and what becomes of it and why."""
        return f"version {self.version} {'published' if self.promote else 'taken back'}: {self.reason}"

    def run(self, store: Writing) -> Done:
        """End it."""
        running = canary(store, self.tenant)
        if running is None or running.version != self.version:
            return Done(changed=False)
        store.run("DELETE FROM canaries WHERE tenant = ?", (self.tenant,))
        if self.promote:
            Raise(tenant=self.tenant, version=self.version).run(store)
        unpin(store, self.tenant, _OWNER)
        told: dict[str, str | int | bool] = {
            "version": self.version,
            "published": self.promote,
            "reason": self.reason,
        }
        emit(store, self.tenant, "canary.ended", told)
        return Done()


class CountAnswers(Command[Done]):
    """Add up what came of requests while there is a candidate."""

    answers = Done
    kind: Literal["count_answers"] = "count_answers"
    version: int
    requests: int
    failures: int
    empty: int
    seconds: float

    def run(self, store: Writing) -> Done:
        """Add it."""
        if canary(store, self.tenant) is None:
            return Done(changed=False)
        store.run(
            "INSERT INTO canary_counts (tenant, version, requests, failures, empty, seconds) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, version) DO UPDATE SET "
            "requests = canary_counts.requests + excluded.requests, "
            "failures = canary_counts.failures + excluded.failures, "
            "empty = canary_counts.empty + excluded.empty, "
            "seconds = canary_counts.seconds + excluded.seconds",
            (self.tenant, self.version, self.requests, self.failures, self.empty, self.seconds),
        )
        return Done()


def canary(store: Reading, tenant: int) -> Canary | None:
    """The candidate of a tenant."""
    rows = store.rows("SELECT version, share, until FROM canaries WHERE tenant = ?", (tenant,))
    if not rows:
        return None
    number, share, until = rows[0]
    return Canary(version=whole(number), share=float(share or 0), until=whole(until))


def counts(store: Reading, tenant: int) -> dict[int, Counts]:
    """What came of the requests since the candidate began, by version."""
    rows = store.rows(
        "SELECT version, requests, failures, empty, seconds FROM canary_counts WHERE tenant = ?", (tenant,)
    )
    return {
        whole(number): Counts(whole(requests), whole(failures), whole(empty), float(seconds or 0))
        for number, requests, failures, empty, seconds in rows
    }


def chance(tenant: int, candidate: Canary, person: str) -> float:
    """A number from 0 to below 1, always the same for a person and a candidate."""
    content = json.dumps(["canary", tenant, candidate.version, person]).encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big") / 2**64


def wrong(candidate: Counts, active: Counts) -> str:
    """What a candidate does worse than the version that answers otherwise; empty where it does not."""
    if candidate.requests < LEAST:
        return ""
    for name, now_bad, then_bad in (
        ("answers from popularity", candidate.failures, active.failures),
        ("empty lists", candidate.empty, active.empty),
    ):
        before = then_bad / active.requests if active.requests else 0.0
        share = now_bad / candidate.requests
        if share > before + WORSE:
            return f"{name}: {share:.0%} of {candidate.requests} lists, {before:.0%} before"
    if min(candidate.requests, active.requests) < LEAST_TIMED:
        return ""
    ours, theirs = candidate.seconds / candidate.requests, active.seconds / active.requests
    if ours > SLOWER * theirs and ours > theirs + SLOWER_SECONDS:
        return f"slow: {ours * 1e3:.0f} ms a list, {theirs * 1e3:.0f} ms before"
    return ""
