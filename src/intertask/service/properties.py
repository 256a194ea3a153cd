"""People and items with their properties, which a tenant sets, changes and deletes."""

import json
from typing import Literal

from intertask.service.database import Reading, Row, Writing, listed, text, whole
from intertask.service.messages import Command, Done, Message
from intertask.service.refusals import MissingError
from intertask.service.schema import now

# In two steps: in one, SQLite would look through all answers of the tenant.
_GIVEN_TO = (
    "WHERE tenant = ? AND recommendation IN "
    "(SELECT recommendation FROM answers WHERE tenant = ? AND person = ?)"
)

_SET = (
    "INSERT INTO items (tenant, item, properties, hidden, updated, created, revision) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)

Properties = dict[str, str | int | float | bool | list[str] | None]


class Item(Message):
    """An item of the tenant.

    Args:
        item: Its id.
        properties: What the tenant says of it.
        hidden: Never recommended.
    """

    item: str
    properties: Properties = {}
    hidden: bool = False


class Person(Message):
    """A person of the tenant."""

    person: str
    properties: Properties = {}


class PutItems(Command[Done]):
    """Set items: what they were before is replaced."""

    answers = Done
    kind: Literal["put_items"] = "put_items"
    items: tuple[Item, ...]

    @property
    def subject(self) -> str:
        """How many."""
        return f"{len(self.items)} items"

    def run(self, store: Writing) -> Done:
        """Set them."""
        put(store, self.tenant, self.items)
        return Done()


class PatchItems(Command[Done]):
    """Change parts of items that were set.

    Args:
        items: What changes; a property that is None is taken away.
        hidden: Of each item, whether it is hidden from now on; None where that stays.
    """

    answers = Done
    kind: Literal["patch_items"] = "patch_items"
    items: tuple[Item, ...]
    hidden: tuple[bool | None, ...]

    @property
    def subject(self) -> str:
        """How many."""
        return f"{len(self.items)} items"

    def run(self, store: Writing) -> Done:
        """Change them.

        Raises:
            MissingError: One was never set.
        """
        known = items(store, self.tenant, [one.item for one in self.items])
        for place, (one, hidden) in enumerate(zip(self.items, self.hidden, strict=True)):
            before = known.get(one.item)
            if before is None:
                raise MissingError(
                    f"items.{place}.item", "an item that was set", repr(one.item), "set it: PUT /v1/items"
                )
            known[one.item] = Item(
                item=one.item,
                properties=_patched(before.properties, one.properties),
                hidden=before.hidden if hidden is None else hidden,
            )
        put(store, self.tenant, tuple(known.values()))
        return Done()


class HideItems(Command[Done]):
    """Hide items, or show them again; ones that were never set are set without properties."""

    answers = Done
    kind: Literal["hide_items"] = "hide_items"
    items: tuple[str, ...]
    hidden: bool = True

    @property
    def subject(self) -> str:
        """How many, and what becomes of them."""
        return f"{len(self.items)} items, hidden: {self.hidden}"

    def run(self, store: Writing) -> Done:
        """Hide or show them."""
        moment, revision = now(), revise(store, self.tenant)
        store.run_many(
            f"{_SET} ON CONFLICT (tenant, item) DO UPDATE SET hidden = excluded.hidden, "
            "updated = excluded.updated, revision = excluded.revision, gone = 0",
            [
                (self.tenant, item, "{}", int(self.hidden), moment, moment, revision)
                for item in dict.fromkeys(self.items)
            ],
        )
        return Done()


class DeleteItem(Command[Done]):
    """Delete what is known of an item; its events stay, and it can be recommended."""

    answers = Done
    kind: Literal["delete_item"] = "delete_item"
    item: str

    @property
    def subject(self) -> str:
        """The item."""
        return self.item

    def run(self, store: Writing) -> Done:
        """Delete it."""
        gone = store.run(
            "UPDATE items SET properties = '{}', hidden = 0, gone = 1, revision = ? "
            "WHERE tenant = ? AND item = ? AND gone = 0",
            (revise(store, self.tenant), self.tenant, self.item),
        )
        return Done(changed=gone > 0)


class PutPeople(Command[Done]):
    """Set people: what they were before is replaced."""

    answers = Done
    kind: Literal["put_people"] = "put_people"
    people: tuple[Person, ...]

    @property
    def subject(self) -> str:
        """How many."""
        return f"{len(self.people)} users"

    def run(self, store: Writing) -> Done:
        """Set them."""
        _put_people(store, self.tenant, self.people)
        return Done()


class BringPeople(Command[Done]):
    """Set people who were never set; what is said of the others stays as it is."""

    answers = Done
    kind: Literal["bring_people"] = "bring_people"
    people: tuple[Person, ...]

    @property
    def subject(self) -> str:
        """How many."""
        return f"{len(self.people)} users"

    def run(self, store: Writing) -> Done:
        """Set them."""
        moment = now()
        store.run_many(
            "INSERT INTO people (tenant, person, properties, updated) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (tenant, person) DO NOTHING",
            [(self.tenant, one.person, json.dumps(one.properties), moment) for one in self.people],
        )
        return Done()


class PatchPeople(Command[Done]):
    """Change properties of people; one that is None is taken away, and who was never set is set."""

    answers = Done
    kind: Literal["patch_people"] = "patch_people"
    people: tuple[Person, ...]

    @property
    def subject(self) -> str:
        """How many."""
        return f"{len(self.people)} users"

    def run(self, store: Writing) -> Done:
        """Change them."""
        known: dict[str, Person] = {}
        for one in self.people:
            before = known.get(one.person) or person(store, self.tenant, one.person)
            properties = _patched({} if before is None else before.properties, one.properties)
            known[one.person] = Person(person=one.person, properties=properties)
        _put_people(store, self.tenant, tuple(known.values()))
        return Done()


class DeletePerson(Command[Done]):
    """Delete a person, all events included."""

    answers = Done
    erases = True
    kind: Literal["delete_person"] = "delete_person"
    person: str

    def run(self, store: Writing) -> Done:
        """Delete them."""
        whose = "WHERE tenant = ? AND person = ?"
        events = store.run(f"DELETE FROM events {whose}", (self.tenant, self.person))
        person = store.run(f"DELETE FROM people {whose}", (self.tenant, self.person))
        answers = store.run(f"DELETE FROM answers {_GIVEN_TO}", (self.tenant, self.tenant, self.person))
        return Done(changed=events + person + answers > 0)


class MergePeople(Command[Done]):
    """Give one person's events to another, as when a visitor signs in; the one is gone afterwards."""

    answers = Done
    erases = True
    kind: Literal["merge_people"] = "merge_people"
    person: str
    into: str

    def run(self, store: Writing) -> Done:
        """Give them.

        Raises:
            MissingError: There is nobody to merge.
        """
        moved = store.run(
            "UPDATE events SET person = ? WHERE tenant = ? AND person = ?",
            (self.into, self.tenant, self.person),
        )
        gone = store.run("DELETE FROM people WHERE tenant = ? AND person = ?", (self.tenant, self.person))
        store.run(
            f"UPDATE answers SET person = ? {_GIVEN_TO}", (self.into, self.tenant, self.tenant, self.person)
        )
        if not moved and not gone:
            raise MissingError("user", "somebody with events or properties", repr(self.person))
        return Done()


def put(store: Writing, tenant: int, things: tuple[Item, ...]) -> None:
    """Set items."""
    moment, revision = now(), revise(store, tenant)
    store.run_many(
        f"{_SET} ON CONFLICT (tenant, item) DO UPDATE SET properties = excluded.properties, "
        "hidden = excluded.hidden, updated = excluded.updated, revision = excluded.revision, gone = 0, "
        "created = CASE WHEN items.gone = 1 THEN excluded.created ELSE items.created END",
        [
            (tenant, one.item, json.dumps(one.properties), int(one.hidden), moment, moment, revision)
            for one in {one.item: one for one in things}.values()
        ],
    )


def _put_people(store: Writing, tenant: int, people: tuple[Person, ...]) -> None:
    moment = now()
    store.run_many(
        "INSERT INTO people (tenant, person, properties, updated) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (tenant, person) DO UPDATE SET properties = excluded.properties, "
        "updated = excluded.updated",
        [(tenant, one.person, json.dumps(one.properties), moment) for one in people],
    )


def _patched(before: Properties, changes: Properties) -> Properties:
    return {name: value for name, value in (before | changes).items() if value is not None}


def items(store: Reading, tenant: int, ids: list[str]) -> dict[str, Item]:
    """What is known of some items."""
    rows = store.rows(
        f"SELECT item, properties, hidden FROM {store.words.given} CROSS JOIN items "
        "WHERE items.tenant = ? AND items.item = given.value AND items.gone = 0",
        (listed(ids), tenant),
    )
    return {text(row[0]): _item(row) for row in rows}


def since(store: Reading, tenant: int, revision: int) -> list[Item]:
    """Items that were set, hidden or deleted after a revision; a deleted one has nothing."""
    rows = store.rows(
        # In two steps: in one, SQLite would look through all items of the tenant.
        "SELECT item, properties, hidden FROM items WHERE tenant = ? AND item IN "
        "(SELECT item FROM items WHERE tenant = ? AND revision > ?)",
        (tenant, tenant, revision),
    )
    return [_item(row) for row in rows]


def latest(store: Reading, tenant: int, most: int) -> list[tuple[Item, int]]:
    """The items that are shown, with the moments when they were set first, the newest first."""
    rows = store.rows(
        "SELECT item, properties, hidden, created FROM items WHERE tenant = ? AND item IN "
        "(SELECT item FROM items WHERE tenant = ? AND hidden = 0 AND gone = 0 "
        "ORDER BY created DESC, item LIMIT ?) ORDER BY created DESC, item",
        (tenant, tenant, most),
    )
    return [(_item(row[:3]), whole(row[3])) for row in rows]


def person(store: Reading, tenant: int, name: str) -> Person | None:
    """What is known of a person."""
    rows = store.rows("SELECT properties FROM people WHERE tenant = ? AND person = ?", (tenant, name))
    return Person(person=name, properties=json.loads(text(rows[0][0]))) if rows else None


def people(store: Reading, tenant: int, after: str, most: int) -> list[Person]:
    """The next people behind an id, by their ids."""
    rows = store.rows(
        "SELECT person, properties FROM people WHERE tenant = ? AND person > ? ORDER BY person LIMIT ?",
        (tenant, after, most),
    )
    return [Person(person=text(name), properties=json.loads(text(known))) for name, known in rows]


def _item(row: Row) -> Item:
    name, properties, is_hidden = row
    return Item(item=text(name), properties=json.loads(text(properties)), hidden=is_hidden == 1)


def revise(store: Writing, tenant: int) -> int:
    """Have every process look again at a tenant's items and rules; the revision that they have now."""
    found = store.rows(
        "UPDATE tenants SET revision = revision + 1 WHERE tenant = ? RETURNING revision", (tenant,)
    )
    if not found:
        raise MissingError("tenant", "one that exists", "none")
    return whole(found[0][0])
