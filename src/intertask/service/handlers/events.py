"""Events come in."""

import secrets

from intertask.service import metrics
from intertask.service.bodies import Event, EventsAnswer, EventsBody
from intertask.service.events import Append, StoredEvent
from intertask.service.handlers._behaviours import refuse_unknown
from intertask.service.running import Call, Running


async def store(running: Running, call: Call, body: EventsBody) -> EventsAnswer:
    """Store events, all of them or none; they are on disk, and in the next answer, when this answers."""
    known = await running.model(call.tenant)
    named = ((f"events.{place}.behaviour", event.behaviour) for place, event in enumerate(body.events))
    await refuse_unknown(running, call, named, "nothing was stored")
    receipt = await running.access.write(
        Append(
            tenant=call.tenant,
            events=tuple(map(_stored, body.events)),
            idempotency=call.idempotency,
            digest=call.digest,
        )
    )
    unknown = 0
    if known is not None:
        unknown = int((known.places([event.item for event in body.events]) < 0).sum())
    metrics.events("stored").inc(receipt.stored)
    metrics.events("duplicate").inc(receipt.duplicates)
    metrics.events("of an unknown item").inc(unknown)
    return EventsAnswer(
        stored=receipt.stored,
        duplicates=receipt.duplicates,
        late=receipt.late,
        unknown_items=unknown,
        seq=receipt.seq,
        replayed=receipt.replayed,
    )


def _stored(event: Event) -> StoredEvent:
    return StoredEvent(
        id=event.id or f"ev_{secrets.token_hex(12)}",
        person=event.user,
        item=event.item,
        behaviour=event.behaviour,
        time=event.time,
        value=event.value,
        session=event.session,
        recommendation=event.recommendation,
    )
