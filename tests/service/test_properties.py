import pytest

from intertask.service.events import Append, StoredEvent, history
from intertask.service.properties import (
    DeleteItem,
    DeletePerson,
    HideItems,
    Item,
    MergePeople,
    PatchItems,
    Person,
    PutItems,
    PutPeople,
    items,
    person,
    since,
)
from intertask.service.refusals import MissingError
from intertask.service.tenants import revision

SHOE = Item(item="sku/9", properties={"price": 9.5, "tags": ["new", "ü"], "sold": False, "brand": None})


def run(store, command):
    with store.transaction():
        return command.run(store)


def event(number: int, who: str, tenant: int = 1) -> Append:
    one = StoredEvent(id=f"e{number}", person=who, item=f"i{number}", behaviour="view", time=number)
    return Append(tenant=tenant, events=(one,))


def test_items_are_what_was_set_last_and_every_tenant_has_its_own(store):
    run(store, PutItems(tenant=1, items=(SHOE, Item(item="x"))))
    assert items(store, 1, ["sku/9", "x", "?"]) == {"sku/9": SHOE, "x": Item(item="x")}
    run(store, PutItems(tenant=1, items=(Item(item="sku/9", hidden=True),)))
    assert items(store, 1, ["sku/9"])["sku/9"] == Item(item="sku/9", hidden=True)
    assert items(store, 2, ["sku/9"]) == {}


def test_hidden_items_keep_their_properties_and_each_change_raises_the_revision(store):
    run(store, PutItems(tenant=1, items=(SHOE,)))
    numbers = [revision(store, 1)]
    for command, expected in (
        (HideItems(tenant=1, items=("sku/9", "never set")), ["never set", "sku/9"]),
        (HideItems(tenant=1, items=("sku/9",), hidden=False), ["never set"]),
        (DeleteItem(tenant=1, item="never set"), []),
    ):
        run(store, command)
        assert sorted(one.item for one in since(store, 1, 0) if one.hidden) == expected
        numbers.append(revision(store, 1))
    assert numbers == sorted(set(numbers)) and revision(store, 2) == 0
    assert items(store, 1, ["sku/9"])["sku/9"] == SHOE


def test_people_are_set_and_deleted_with_their_events(store):
    run(store, PutPeople(tenant=1, people=(Person(person="ann", properties={"age": 30}),)))
    for number, (who, tenant) in enumerate([("ann", 1), ("bob", 1), ("ann", 2)]):
        run(store, event(number, who, tenant))
    assert person(store, 1, "ann") == Person(person="ann", properties={"age": 30})
    assert run(store, DeletePerson(tenant=1, person="ann")).changed
    assert not run(store, DeletePerson(tenant=1, person="ann")).changed
    assert person(store, 1, "ann") is None and history(store, 1, "ann", 9) == []
    assert len(history(store, 1, "bob", 9)) == len(history(store, 2, "ann", 9)) == 1


def test_a_visitor_who_signs_in_brings_the_events_along_in_their_order(store):
    for number, who in enumerate(["visitor", "ann", "visitor", "ann"]):
        run(store, event(number, who))
    run(store, MergePeople(tenant=1, person="visitor", into="ann"))
    assert [one.item for one in history(store, 1, "ann", 9)] == ["i0", "i1", "i2", "i3"]
    assert history(store, 1, "visitor", 9) == []
    with pytest.raises(MissingError, match="somebody with events or properties, found 'visitor'"):
        run(store, MergePeople(tenant=1, person="visitor", into="ann"))


def test_what_changed_after_a_revision_is_told_the_deleted_among_it(store):
    run(store, PutItems(tenant=1, items=(SHOE, Item(item="x"), Item(item="x", properties={"a": 1}))))
    seen = revision(store, 1)
    assert {one.item for one in since(store, 1, -1)} == {"sku/9", "x"} and since(store, 1, seen) == []
    run(store, DeleteItem(tenant=1, item="sku/9"))
    run(store, PatchItems(tenant=1, items=(Item(item="x", properties={"a": None, "b": 2}),), hidden=(True,)))
    assert {one.item: (one.properties, one.hidden) for one in since(store, 1, seen)} == {
        "sku/9": ({}, False),
        "x": ({"b": 2}, True),
    }
    assert set(items(store, 1, ["sku/9", "x"])) == {"x"}
