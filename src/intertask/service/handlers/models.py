"""Versions of the model: which there are, what made them, which answers."""

import asyncio

from intertask.service import canaries, publishing, versions
from intertask.service.administration import (
    AliasAnswer,
    CanaryAnswer,
    CanaryBody,
    ModelAnswer,
    ModelsAnswer,
    PublishBody,
    RecipeAnswer,
    VersionQuery,
)
from intertask.service.canaries import Canary, EndCanary, StartCanary
from intertask.service.database import Reading
from intertask.service.fields import NoBody, spelled
from intertask.service.refusals import ConflictError, MissingError
from intertask.service.running import Call, Running
from intertask.service.versions import ACTIVE, ROWS, Alias, Version
from intertask.storage.untrusted import json_of


async def models(running: Running, call: Call, _body: NoBody) -> ModelsAnswer:
    """All versions, the newest first."""

    def look(store: Reading) -> tuple[list[Version], list[Alias | None], Canary | None]:
        tenant = call.tenant
        return (
            versions.versions(store, tenant),
            [versions.alias(store, tenant, name) for name in (ACTIVE, ROWS)],
            canaries.canary(store, tenant),
        )

    found, aliases, tried = await running.access.read(look)
    active = {one.version for one in aliases if one is not None}
    part: dict[str, CanaryAnswer] = {}
    if tried is not None:
        until = spelled(tried.until)
        part["canary"] = CanaryAnswer(version=tried.version, share=tried.share, until=until)
    return ModelsAnswer(
        **part,
        models=tuple(
            ModelAnswer(
                version=one.version,
                digest=one.digest,
                facts=dict(one.facts),
                active=one.version in active,
            )
            for one in found
        ),
    )


async def recipe(running: Running, call: Call, body: VersionQuery) -> RecipeAnswer:
    """The recipe of a version, as it was trained: to be compared with that of another."""
    found = await running.access.read(versions.version, call.tenant, body.version)
    if found is None:
        raise MissingError("version", "one of your versions", str(body.version), "see GET /v1/models")
    file = running.place.models / found.digest / "recipe.json"
    try:
        content = await asyncio.to_thread(file.read_bytes)
    except OSError:
        raise MissingError("version", "its folder", "none", "bring it in again: POST /v1/models") from None
    table = json_of(content, "recipe.json")
    assert isinstance(table, dict)
    return RecipeAnswer(version=found.version, recipe=table)


async def publish(running: Running, call: Call, body: PublishBody) -> AliasAnswer:
    """Have a version answer, once every process has it ready; until then the one before does."""
    if body.canary is not None:
        return await _try(running, call, body.version, body.canary)
    alias = await publishing.publish(
        running.access, call.tenant, body.version, body.instead_of, by=call.holder.key
    )
    return AliasAnswer(version=alias.version, before=alias.before)


async def _try(running: Running, call: Call, version: int, canary: CanaryBody) -> AliasAnswer:
    prepared = await publishing.prepare(running.access, call.tenant, version)
    if prepared.alias != ACTIVE:
        raise ConflictError(
            "canary", "a model that ranks items", "one of rows", "publish it without a canary"
        )
    await running.access.write(
        StartCanary(
            tenant=call.tenant,
            by=call.holder.key,
            version=version,
            share=canary.share,
            minutes=canary.minutes,
        )
    )
    active = await running.access.read(versions.alias, call.tenant)
    assert active is not None
    return AliasAnswer(version=active.version, before=active.before, canary=version)


async def roll_back(running: Running, call: Call, _body: NoBody) -> AliasAnswer:
    """Have the version before answer again; where one is being tried, take that back instead."""
    tried = await running.access.read(canaries.canary, call.tenant)
    if tried is not None:
        await running.access.write(
            EndCanary(
                tenant=call.tenant,
                by=call.holder.key,
                version=tried.version,
                promote=False,
                reason="on request",
            )
        )
        active = await running.access.read(versions.alias, call.tenant)
        assert active is not None
        return AliasAnswer(version=active.version, before=active.before)
    found = await running.access.read(versions.alias, call.tenant)
    if found is None or found.before is None:
        raise ConflictError("alias active", "a version before", "none", "publish another version instead")
    alias = await publishing.publish(
        running.access, call.tenant, found.before, found.version, by=call.holder.key
    )
    return AliasAnswer(version=alias.version, before=alias.before)
