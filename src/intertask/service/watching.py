"""Looks after candidates: takes one back that does worse, and publishes one whose time is over."""

import asyncio
import contextlib

from intertask.service import canaries, tenants, versions
from intertask.service.access import Access
from intertask.service.canaries import Canary, Counts, EndCanary
from intertask.service.database import Reading
from intertask.service.refusals import RefusedError
from intertask.service.schema import now

SECONDS = 1.0
BY = "canary"  # stands for a key in the list of changes


async def watch(access: Access) -> None:
    """Look every second, until cancelled."""
    while True:
        with contextlib.suppress(RefusedError):  # the store is away for a moment
            await look(access)
        await asyncio.sleep(SECONDS)


async def look(access: Access) -> None:
    """Decide about each candidate once.

    Raises:
        RefusedError: The store cannot be reached.
    """
    for tenant, candidate, ours, theirs in await access.read(_running):
        reason = canaries.wrong(ours, theirs)
        if not reason and candidate.until > now():
            continue
        promote = not reason
        await access.write(
            EndCanary(
                tenant=tenant,
                by=BY,
                version=candidate.version,
                promote=promote,
                reason=reason or "nothing was worse",
            )
        )


def _running(store: Reading) -> list[tuple[int, Canary, Counts, Counts]]:
    found = []
    for tenant in tenants.tenants(store).values():
        candidate, active = canaries.canary(store, tenant), versions.alias(store, tenant)
        if candidate is None or active is None:
            continue
        by_version = canaries.counts(store, tenant)
        ours = by_version.get(candidate.version, Counts())
        found.append((tenant, candidate, ours, by_version.get(active.version, Counts())))
    return found
