"""Keys of the tenant, and what was changed by them."""

from intertask.service import audit, tenants
from intertask.service.administration import (
    AuditAnswer,
    AuditQuery,
    ChangeAnswer,
    KeyAnswer,
    KeyBody,
    KeysAnswer,
    NewKeyAnswer,
    RevokeBody,
)
from intertask.service.bodies import DoneAnswer
from intertask.service.fields import NoBody, spelled
from intertask.service.running import Call, Running
from intertask.service.tenants import RevokeKey, new_key


async def keys(running: Running, call: Call, _body: NoBody) -> KeysAnswer:
    """What is known of each key; the keys themselves nobody knows."""
    found = await running.access.read(tenants.keys, call.tenant)
    return KeysAnswer(
        keys=tuple(
            KeyAnswer(public=public, role=role, label=label, revoked=gone is not None)
            for public, role, label, _, gone in found
        )
    )


async def changes(running: Running, call: Call, body: AuditQuery) -> AuditAnswer:
    """Who changed what, by which key and when."""
    found = await running.access.read(audit.entries, call.tenant, body.most)
    return AuditAnswer(
        changes=tuple(
            ChangeAnswer(at=spelled(one.at), key=one.key, action=one.action, subject=one.subject)
            for one in found
        )
    )


async def add_key(running: Running, call: Call, body: KeyBody) -> NewKeyAnswer:
    """Make a key, which is shown this once."""
    key, command = new_key(call.tenant, body.role, body.label)
    await running.access.write(command.model_copy(update={"by": call.holder.key}))
    return NewKeyAnswer(key=key, public=command.key, role=body.role)


async def revoke_key(running: Running, call: Call, body: RevokeBody) -> DoneAnswer:
    """Take a key back: within a second it opens nothing."""
    done = await running.access.write(RevokeKey(tenant=call.tenant, by=call.holder.key, key=body.public))
    return DoneAnswer(changed=done.changed)
