"""Items and users: what is known of them, who is hidden, who is merged, who is deleted."""

from intertask.service import events, properties
from intertask.service.bodies import (
    DoneAnswer,
    HideBody,
    ItemBody,
    ItemQuery,
    ItemsBody,
    ItemsPatch,
    MergeBody,
    ShownEvent,
    UserAnswer,
    UserQuery,
    UsersBody,
    UsersPatch,
)
from intertask.service.database import Reading
from intertask.service.events import StoredEvent
from intertask.service.fields import spelled
from intertask.service.properties import (
    DeleteItem,
    DeletePerson,
    HideItems,
    Item,
    MergePeople,
    PatchItems,
    PatchPeople,
    Person,
    PutItems,
    PutPeople,
)
from intertask.service.refusals import MissingError
from intertask.service.running import Call, Running

SHOWN = 100  # events of a user


async def put_items(running: Running, call: Call, body: ItemsBody) -> DoneAnswer:
    """Set items: what they were before is replaced."""
    items = tuple(
        Item(item=one.item, properties=dict(one.properties), hidden=one.hidden) for one in body.items
    )
    return DoneAnswer(
        changed=(
            await running.access.write(PutItems(tenant=call.tenant, by=call.holder.key, items=items))
        ).changed
    )


async def patch_items(running: Running, call: Call, body: ItemsPatch) -> DoneAnswer:
    """Change parts of items: properties that are not named stay, those that are null are taken away."""
    items = tuple(Item(item=one.item, properties=dict(one.properties)) for one in body.items)
    hidden = tuple(one.hidden for one in body.items)
    command = PatchItems(tenant=call.tenant, by=call.holder.key, items=items, hidden=hidden)
    return DoneAnswer(changed=(await running.access.write(command)).changed)


async def patch_users(running: Running, call: Call, body: UsersPatch) -> DoneAnswer:
    """Change properties of users: those that are not named stay, those that are null are taken away."""
    people = tuple(Person(person=one.user, properties=dict(one.properties)) for one in body.users)
    command = PatchPeople(tenant=call.tenant, by=call.holder.key, people=people)
    return DoneAnswer(changed=(await running.access.write(command)).changed)


async def hide_items(running: Running, call: Call, body: HideBody) -> DoneAnswer:
    """Hide items from every list that begins from now on, or show them again."""
    command = HideItems(tenant=call.tenant, by=call.holder.key, items=body.items, hidden=body.hidden)
    return DoneAnswer(changed=(await running.access.write(command)).changed)


async def get_item(running: Running, call: Call, body: ItemQuery) -> ItemBody:
    """What is known of an item."""
    found = await running.access.read(properties.items, call.tenant, [body.item])
    if body.item not in found:
        raise MissingError("item", "an item that was set", repr(body.item), "set it: PUT /v1/items")
    item = found[body.item]
    return ItemBody(item=item.item, properties=item.properties, hidden=item.hidden)


async def delete_item(running: Running, call: Call, body: ItemQuery) -> DoneAnswer:
    """Delete what is known of an item; its events stay."""
    done = await running.access.write(DeleteItem(tenant=call.tenant, by=call.holder.key, item=body.item))
    return DoneAnswer(changed=done.changed)


async def put_users(running: Running, call: Call, body: UsersBody) -> DoneAnswer:
    """Set users: what they were before is replaced; their events stay."""
    people = tuple(Person(person=one.user, properties=dict(one.properties)) for one in body.users)
    return DoneAnswer(
        changed=(
            await running.access.write(PutPeople(tenant=call.tenant, by=call.holder.key, people=people))
        ).changed
    )


async def get_user(running: Running, call: Call, body: UserQuery) -> UserAnswer:
    """What is known of a user, and their last events."""

    def look(store: Reading) -> tuple[Person | None, list[StoredEvent]]:
        return (
            properties.person(store, call.tenant, body.user),
            events.history(store, call.tenant, body.user, SHOWN),
        )

    person, history = await running.access.read(look)
    if person is None and not history:
        raise MissingError("user", "somebody with events or properties", repr(body.user))
    return UserAnswer(
        user=body.user,
        properties={} if person is None else person.properties,
        events=tuple(map(shown, history)),
    )


async def delete_user(running: Running, call: Call, body: UserQuery) -> DoneAnswer:
    """Delete a user with all events."""
    done = await running.access.write(DeletePerson(tenant=call.tenant, by=call.holder.key, person=body.user))
    return DoneAnswer(changed=done.changed)


async def merge_users(running: Running, call: Call, body: MergeBody) -> DoneAnswer:
    """Give one user's events to another, as when a visitor signs in."""
    done = await running.access.write(
        MergePeople(tenant=call.tenant, by=call.holder.key, person=body.user, into=body.into)
    )
    return DoneAnswer(changed=done.changed)


def shown(event: StoredEvent) -> ShownEvent:
    """An event as it is shown."""
    return ShownEvent(
        id=event.id,
        item=event.item,
        behaviour=event.behaviour,
        time=spelled(event.time or 0),
        value=event.value,
        session=event.session,
        recommendation=event.recommendation,
    )
