"""Versions of the model: which there are, which answers."""

from intertask.service import publishing, versions
from intertask.service.administration import AliasAnswer, ModelAnswer, ModelsAnswer, PublishBody
from intertask.service.database import Reading
from intertask.service.fields import NoBody
from intertask.service.refusals import ConflictError
from intertask.service.running import Call, Running
from intertask.service.versions import Alias, Version


async def models(running: Running, call: Call, _body: NoBody) -> ModelsAnswer:
    """All versions, the newest first."""

    def look(store: Reading) -> tuple[list[Version], Alias | None]:
        return versions.versions(store, call.tenant), versions.alias(store, call.tenant)

    found, active = await running.access.read(look)
    return ModelsAnswer(
        models=tuple(
            ModelAnswer(
                version=one.version,
                digest=one.digest,
                facts=dict(one.facts),
                active=active is not None and one.version == active.version,
            )
            for one in found
        )
    )


async def publish(running: Running, call: Call, body: PublishBody) -> AliasAnswer:
    """Have a version answer, once every process has it ready; until then the one before does."""
    alias = await publishing.publish(
        running.access, call.tenant, body.version, body.instead_of, by=call.holder.key
    )
    return AliasAnswer(version=alias.version, before=alias.before)


async def roll_back(running: Running, call: Call, _body: NoBody) -> AliasAnswer:
    """Have the version before answer again."""
    found = await running.access.read(versions.alias, call.tenant)
    if found is None or found.before is None:
        raise ConflictError("alias active", "a version before", "none", "publish another version instead")
    alias = await publishing.publish(
        running.access, call.tenant, found.before, found.version, by=call.holder.key
    )
    return AliasAnswer(version=alias.version, before=alias.before)
