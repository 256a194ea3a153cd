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
    TenantBody,
    TenantsAnswer,
)
from intertask.service.bodies import DoneAnswer
from intertask.service.fields import NoBody, spelled
from intertask.service.refusals import ForbiddenError
from intertask.service.running import Call, Running
from intertask.service.tenants import FIRST, AddTenant, RevokeKey, new_key


async def keys(running: Running, call: Call, _body: NoBody) -> KeysAnswer:
    """What is known of each key; the keys themselves nobody knows."""
    found = await running.access.read(tenants.keys, call.tenant)
    return KeysAnswer(
        keys=tuple(
            KeyAnswer(public=public, role=role, label=label, revoked=gone is not None, per_second=per_second)
            for public, role, label, _, gone, per_second in found
        )
    )


async def all_tenants(running: Running, call: Call, _body: NoBody) -> TenantsAnswer:
    """All tenants; for the first one's keys alone."""
    _refuse_others(call)
    return TenantsAnswer(tenants=tuple(await running.access.read(tenants.tenants)))


async def add_tenant(running: Running, call: Call, body: TenantBody) -> NewKeyAnswer:
    """Make a tenant with a key of its own, which is shown this once; for the first tenant's keys alone."""
    _refuse_others(call)
    made = await running.access.write(AddTenant(tenant=call.tenant, by=call.holder.key, name=body.name))
    key, command = new_key(made.tenant, "admin", "made with the tenant")
    await running.access.write(command)
    return NewKeyAnswer(key=key, public=command.key, role="admin")


def _refuse_others(call: Call) -> None:
    if call.tenant != FIRST:
        raise ForbiddenError("Authorization", "a key of the first tenant", "one of another tenant")


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
    key, command = new_key(call.tenant, body.role, body.label, body.per_second)
    await running.access.write(command.model_copy(update={"by": call.holder.key}))
    return NewKeyAnswer(key=key, public=command.key, role=body.role)


async def revoke_key(running: Running, call: Call, body: RevokeBody) -> DoneAnswer:
    """Take a key back: within a second it opens nothing."""
    done = await running.access.write(RevokeKey(tenant=call.tenant, by=call.holder.key, key=body.public))
    return DoneAnswer(changed=done.changed)
