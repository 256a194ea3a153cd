"""A version becomes the one that answers: loaded by every process first, then by one change of the store.

Requests that are under way keep the model that they began with. Killed at any step, the version before or the
new one answers.
"""

import asyncio

from intertask.service import versions
from intertask.service.access import Access
from intertask.service.refusals import ConflictError, MissingError, RefusedError, UnavailableError
from intertask.service.versions import NEXT, Alias, Raise, Version

SECONDS = 60.0  # that all processes may take to load a model
BETWEEN = 0.05


async def publish(
    access: Access,
    tenant: int,
    number: int,
    instead_of: int | None = None,
    seconds: float = SECONDS,
    by: str = "",
) -> Alias:
    """Have a version answer, once every process that answers has it ready.

    Args:
        access: To the store.
        tenant: Whose.
        number: Of the version.
        instead_of: The version that must answer now; any where it is None.
        seconds: That it may take.
        by: The public part of the key of whoever wants it.

    Raises:
        MissingError: There is no such version.
        ConflictError: A process cannot load it, or another version answers than `instead_of`.
        UnavailableError: It takes too long.
    """
    version = await prepare(access, tenant, number, seconds)
    return await access.write(
        Raise(tenant=tenant, alias=version.alias, version=number, instead_of=instead_of, by=by)
    )


async def prepare(access: Access, tenant: int, number: int, seconds: float = SECONDS) -> Version:
    """The version, once every process has loaded it.

    Raises:
        MissingError: There is no such version.
        ConflictError: A process cannot load it.
        UnavailableError: It takes too long.
    """
    version = await access.read(versions.version, tenant, number)
    if version is None:
        raise MissingError("version", "a version of your models", str(number), "see GET /v1/models")
    following = NEXT + version.alias
    await access.write(Raise(tenant=tenant, alias=following, version=number))
    try:
        await _ready(access, version, seconds)
    except RefusedError:
        active = await access.read(versions.alias, tenant, version.alias)
        if active is not None:  # nobody need keep, or try to load again, what is not published
            await access.write(Raise(tenant=tenant, alias=following, version=active.version))
        raise
    return version


async def _ready(access: Access, version: Version, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        ready, living, refused = await access.read(versions.readiness, version.digest)
        if refused:
            raise ConflictError(
                f"version {version.version}",
                "a model that every process can load",
                refused[0],
                "the version before goes on answering",
            )
        if living and ready == living:
            return
        if loop.time() > end:
            raise UnavailableError(
                f"version {version.version}",
                f"{living} processes ready within {seconds:.0f} s",
                str(ready),
                "try again; the version before goes on answering",
            )
        await asyncio.sleep(BETWEEN)
