"""People and items with their properties, which a tenant sets, changes and deletes."""

import json
from typing import Literal

from intertask.service.database import Reading, Row, Writing, listed, text
from intertask.service.messages import Command, Done, Message
from intertask.service.refusals import MissingError
from intertask.service.schema import now

# In two steps: in one, SQLite would look through all answers of the tenant.
_GIVEN_TO = (
    "WHERE tenant = ? AND recommendation IN "
    "(SELECT recommendation FROM answers WHERE tenant = ? AND person = ?)"
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
        moment = now()
        store.run_many(
            "INSERT INTO items (tenant, item, properties, hidden, updated) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (tenant, item) DO UPDATE SET properties = excluded.properties, "
            "hidden = excluded.hidden, updated = excluded.updated",
            [
                (self.tenant, one.item, json.dumps(one.properties), int(one.hidden), moment)
                for one in self.items
            ],
        )
        _revise(store, self.tenant)
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
        moment = now()
        store.run_many(
            "INSERT INTO items (tenant, item, properties, hidden, updated) VALUES (?, ?, '{}', ?, ?) "
            "ON CONFLICT (tenant, item) DO UPDATE SET hidden = excluded.hidden, updated = excluded.updated",
            [(self.tenant, item, int(self.hidden), moment) for item in self.items],
        )
        _revise(store, self.tenant)
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
        gone = store.run("DELETE FROM items WHERE tenant = ? AND item = ?", (self.tenant, self.item))
        _revise(store, self.tenant)
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
        moment = now()
        store.run_many(
            "INSERT INTO people (tenant, person, properties, updated) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (tenant, person) DO UPDATE SET properties = excluded.properties, "
            "updated = excluded.updated",
            [(self.tenant, one.person, json.dumps(one.properties), moment) for one in self.people],
        )
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


def items(store: Reading, tenant: int, ids: list[str]) -> dict[str, Item]:
    """What is known of some items."""
    rows = store.rows(
        f"SELECT item, properties, hidden FROM {store.words.given} CROSS JOIN items "
        "WHERE items.tenant = ? AND items.item = given.value",
        (listed(ids), tenant),
    )
    return {text(row[0]): _item(row) for row in rows}


def hidden(store: Reading, tenant: int) -> list[str]:
    """The items that are never recommended."""
    return [
        text(row[0])
        for row in store.rows("SELECT item FROM items WHERE tenant = ? AND hidden = 1", (tenant,))
    ]


def person(store: Reading, tenant: int, name: str) -> Person | None:
    """What is known of a person."""
    rows = store.rows("SELECT properties FROM people WHERE tenant = ? AND person = ?", (tenant, name))
    return Person(person=name, properties=json.loads(text(rows[0][0]))) if rows else None


def _item(row: Row) -> Item:
    name, properties, is_hidden = row
    return Item(item=text(name), properties=json.loads(text(properties)), hidden=is_hidden == 1)


def _revise(store: Writing, tenant: int) -> None:
    store.run("UPDATE tenants SET revision = revision + 1 WHERE tenant = ?", (tenant,))
