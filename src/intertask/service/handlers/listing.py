"""Looking through items and users, and trying a condition on the items."""

import asyncio
from typing import cast

import numpy as np

from intertask.service import continuing, listing, properties
from intertask.service.bodies import ItemBody
from intertask.service.fields import spelled
from intertask.service.listing_bodies import (
    ItemsAnswer,
    ListedUser,
    MatchingAnswer,
    MatchingBody,
    ThingsQuery,
    UsersAnswer,
)
from intertask.service.questions import Question
from intertask.service.running import Call, Running
from intertask.service.schema import now


async def items(running: Running, call: Call, body: ThingsQuery) -> ItemsAnswer:
    """All items that were set, by their ids; page by page by a cursor."""
    begins, after = _place(running, call, "items", body)
    found = await running.access.read(listing.items, call.tenant, begins, after, body.k)
    shown = tuple(ItemBody(item=one.item, properties=one.properties, hidden=one.hidden) for one in found)
    last = found[-1].item if found else ""
    more = continuing.further(body.k, len(found), call.tenant, "items", [begins, last], running.secret)
    return ItemsAnswer(items=shown, **more)


async def users(running: Running, call: Call, body: ThingsQuery) -> UsersAnswer:
    """All users with events or properties, by their ids; page by page by a cursor."""
    begins, after = _place(running, call, "users", body)
    found = await running.access.read(listing.people, call.tenant, begins, after, body.k)
    shown = tuple(
        ListedUser(
            user=one.person,
            properties=one.properties,
            last_event=None if one.last is None else spelled(one.last),
        )
        for one in found
    )
    last = found[-1].person if found else ""
    more = continuing.further(body.k, len(found), call.tenant, "users", [begins, last], running.secret)
    return UsersAnswer(users=shown, **more)


async def matching(running: Running, call: Call, body: MatchingBody) -> MatchingAnswer:
    """How many items a condition is true of: before a list or a rule has it."""
    named = await running.engine.named(running.access, call.tenant, None)
    person = (
        None if body.user is None else await running.access.read(properties.person, call.tenant, body.user)
    )
    known = {} if person is None else person.properties
    asked = Question(call.tenant, body.user, context=body.context, asked=now())
    met_I = await asyncio.to_thread(named.shelf.meets, body.filter, asked, lambda: known)
    shown_I = np.ones(named.model.num_items, dtype=bool)
    if named.shelf.banned_I is not None:
        shown_I = ~named.shelf.banned_I.numpy()
    places = np.flatnonzero(met_I & shown_I)
    return MatchingAnswer(
        model=f"v{named.version}",
        matches=len(places),
        of=int(shown_I.sum()),
        items=tuple(named.model.names(places[: body.k])),
    )


def _place(running: Running, call: Call, kind: str, body: ThingsQuery) -> tuple[str, str]:
    """What ids begin with, and the id that the page stands behind."""
    if body.cursor is None:
        return body.begins or "", ""
    end = continuing.behind(body.cursor, call.tenant, kind, running.secret)
    return cast("tuple[str, str]", tuple(end))
