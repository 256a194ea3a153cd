"""No request looks through all that a tenant has: SQLite says how it finds the rows of each statement."""

import pytest

from intertask.service import (
    answers,
    events,
    experiments,
    jobs,
    listing,
    properties,
    rules,
    tenants,
    versions,
)
from intertask.service.answers import Given, KeepAnswers, TrimAnswers
from intertask.service.events import Append, StoredEvent
from intertask.service.properties import (
    BringPeople,
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
from intertask.service.rules import DeleteRule, PutRule, Rule
from intertask.service.versions import Raise

TABLES = ("events", "people", "items", "requests", "answers", "jobs")  # that grow with what comes in


@pytest.fixture
def plans(store, address, monkeypatch):
    """How the rows of each statement that ran were found."""
    if address != "sqlite":
        pytest.skip("PostgreSQL chooses by what it has counted, as the tables grow")
    found: list[tuple[str, str]] = []

    def look(sql, parameters):
        if not sql.startswith(("PRAGMA", "BEGIN", "EXPLAIN")):
            found.extend((sql, str(row[3])) for row in rows(f"EXPLAIN QUERY PLAN {sql}", parameters))

    rows, run, run_many = store.rows, store.run, store.run_many
    monkeypatch.setattr(store, "rows", lambda sql, given=(): (look(sql, given), rows(sql, given))[1])
    monkeypatch.setattr(store, "run", lambda sql, given=(): (look(sql, given), run(sql, given))[1])
    monkeypatch.setattr(
        store, "run_many", lambda sql, given: [(look(sql, one), run(sql, one)) for one in given] and None
    )
    assert run_many
    return found


def test_every_statement_of_a_request_finds_its_rows_by_their_keys(store, plans):
    stored = [
        StoredEvent(id=str(n), person="p", item="i", behaviour="b", time=n, value=1.0) for n in range(3)
    ]
    given = Given(recommendation="rec_0", person="p", version=1, items=("i",), scores=(1.0,))
    commands = [
        Append(tenant=1, events=tuple(stored), idempotency="k", digest="d"),
        Append(tenant=1, events=tuple(stored)),
        KeepAnswers(tenant=1, given=(given,)),
        TrimAnswers(tenant=1, before="rec_1"),
        PutItems(tenant=1, items=(Item(item="i"),)),
        HideItems(tenant=1, items=("i",)),
        PatchItems(tenant=1, items=(Item(item="i"),), hidden=(False,)),
        PatchPeople(tenant=1, people=(Person(person="p"),)),
        BringPeople(tenant=1, people=(Person(person="p"),)),
        DeleteItem(tenant=1, item="j"),
        PutRule(tenant=1, rule=Rule(name="r")),
        DeleteRule(tenant=1, name="r"),
        PutPeople(tenant=1, people=(Person(person="p"),)),
        MergePeople(tenant=1, person="p", into="q"),
        DeletePerson(tenant=1, person="nobody"),
        versions.AddVersion(tenant=1, digest="d"),
        Raise(tenant=1, version=1),
    ]
    with store.transaction():
        for command in commands:
            command.run(store)
    events.history(store, 1, "q", 9)
    answers.drawn(store, 1, 9)
    answers.newest(store, 1, 0, 9)
    experiments.shown(store, 1, "x", "")
    events.led_to(store, 1, ["rec_0"])
    answers.answer(store, 1, "rec_0")
    answers.of_person(store, 1, "q", 9)
    events.steps(store, 1, "q", 9, 9)
    events.touched(store, 1, "q", ("b",), 0, 9)
    properties.items(store, 1, ["i", "j"])
    properties.since(store, 1, 0)
    properties.latest(store, 1, 9)
    rules.rules(store, 1)
    properties.person(store, 1, "q")
    properties.people(store, 1, "", 9)
    listing.items(store, 1, "i", "", 9)
    listing.people(store, 1, "q", "", 9)
    tenants.state(store, 1)
    versions.active(store, 1)
    jobs.jobs(store, 1, 9)
    jobs.jobs(store, 1, 9, (1, "job_0"))
    assert len(plans) > 20
    for sql, plan in plans:
        for table in TABLES:
            assert f"SCAN {table}" not in plan, (sql, plan)
            assert f" {table} " not in f" {plan} " or "(tenant=?)" not in plan or "items_shown" in plan, (
                sql,
                plan,
            )
