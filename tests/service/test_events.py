import json

import pytest

from intertask.service.events import Append, Receipt, StoredEvent, history, num_events, num_people
from intertask.service.refusals import ConflictError, MissingError, ReusedKeyError
from intertask.service.writer import _alone

NOON = 1_700_000_000_000_000


def event(number: int, person: str = "ann", **changes: object) -> StoredEvent:
    base = {"id": f"e{number}", "person": person, "item": f"i{number}", "behaviour": "view"}
    return StoredEvent(**(base | {"time": NOON + number} | changes))


def append(store, *events: StoredEvent, tenant: int = 1, **changes: str):
    with store.transaction():
        return Append(tenant=tenant, events=events, **changes).run(store)


def test_what_is_stored_is_read_back_as_it_came(store):
    odd = event(2, "ü/'\"%s?\u202e{}", item="sku/9 ", value=0.1 + 0.2, session="s", recommendation="r")
    receipt = append(store, event(1), odd)
    assert (receipt.stored, receipt.duplicates, receipt.late, receipt.seq) == (2, 0, 0, 2)
    assert history(store, 1, odd.person, 10) == [odd]
    assert history(store, 1, "ann", 10) == [event(1)]
    assert (num_events(store, 1), num_people(store, 1)) == (2, 2)


def test_an_event_that_comes_again_is_counted_and_stored_once(store):
    append(store, event(1), event(2))
    receipt = append(store, event(2), event(3), event(3))
    assert (receipt.stored, receipt.duplicates, receipt.seq) == (1, 2, 3)
    assert [one.id for one in history(store, 1, "ann", 10)] == ["e1", "e2", "e3"]


def test_views_of_one_item_at_one_moment_stay_two_events(store):
    append(store, event(1, item="x", time=NOON), event(2, item="x", time=NOON))
    assert [one.item for one in history(store, 1, "ann", 10)] == ["x", "x"]


@pytest.mark.parametrize(
    "field", ["person", "item", "behaviour", "time", "value", "session", "recommendation"]
)
def test_another_event_under_a_known_id_is_refused_and_nothing_is_stored(store, field):
    append(store, event(1))
    other = {"person": "bob", "item": "x", "behaviour": "buy", "time": NOON, "value": 1.0}.get(field, "text")
    with pytest.raises(ConflictError, match=r"events\.1 id: expected a new id for another event, found 'e1'"):
        append(store, event(2), event(1, **{field: other}))
    assert num_events(store, 1) == 1


def test_an_event_without_a_time_gets_that_of_its_arrival_and_may_come_again(store):
    append(store, event(1, time=None))
    assert append(store, event(1, time=None)).duplicates == 1
    (stored,) = history(store, 1, "ann", 10)
    assert stored.time is not None and stored.time > NOON


def test_histories_are_in_the_order_of_time_and_equal_times_as_they_came(store):
    append(store, event(5), event(1), event(3, time=NOON + 1))
    receipt = append(store, event(4), event(0, time=NOON + 9))
    assert receipt.late == 1
    assert [one.id for one in history(store, 1, "ann", 10)] == ["e1", "e3", "e4", "e5", "e0"]
    assert [one.id for one in history(store, 1, "ann", 2)] == ["e5", "e0"]


def test_tenants_share_no_ids_no_people_and_no_numbers(store):
    append(store, event(1))
    receipt = append(store, event(1, item="other"), tenant=2)
    assert (receipt.stored, receipt.seq) == (1, 1)
    assert [one.item for one in history(store, 2, "ann", 10)] == ["other"]
    with pytest.raises(MissingError):
        append(store, event(1), tenant=3)


def test_the_same_request_gets_the_same_answer_and_another_one_is_refused(store):
    first = append(store, event(1), idempotency="k", digest="a")
    again = append(store, event(1), idempotency="k", digest="a")
    assert again.replayed and again.model_copy(update={"replayed": False}) == first
    with pytest.raises(ReusedKeyError, match="Idempotency-Key: expected a new key for a new request"):
        append(store, event(2), idempotency="k", digest="b")
    assert append(store, event(2), tenant=2, idempotency="k", digest="b").stored == 1
    assert num_events(store, 1) == 1


def test_numbers_of_events_have_no_gaps(store):
    for batch in range(3):
        append(store, *(event(10 * batch + place) for place in range(4)))
    rows = store.rows("SELECT seq FROM events WHERE tenant = 1 ORDER BY seq")
    assert [seq for (seq,) in rows] == list(range(1, 13))


def test_a_command_travels_as_json(store):
    command = Append(tenant=1, events=(event(1, value=2.0),), idempotency="k", digest="d")
    assert Append.model_validate_json(command.model_dump_json()) == command
    assert json.loads(command.model_dump_json())["kind"] == "append"


def test_numbers_have_no_gaps_whatever_comes_twice(store):
    def send(*names, **more):
        events = tuple(StoredEvent(id=name, person="p", item="i", behaviour="b") for name in names)
        with store.transaction():
            return Append(tenant=1, events=events, **more).run(store).seq

    assert [send("a", "b"), send("b", "c", "c"), send("a"), send("d", idempotency="k", digest="x")] == [
        2,
        3,
        3,
        4,
    ]
    assert send("d", idempotency="k", digest="x") == 4
    assert send("e") == 5
    rows = store.rows("SELECT seq, id FROM events WHERE tenant = 1 ORDER BY seq")
    assert rows == [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]


def test_a_single_event_takes_five_journeys_to_a_server(store, address):
    if address == "sqlite":
        pytest.skip("its database is a file")
    sent = []
    cursor = store._inner.cursor

    class Counting:
        def __init__(self):
            self.inner = cursor()

        def __enter__(self):
            return self

        def __exit__(self, *_error):
            self.inner.close()

        def execute(self, *words, **named):
            sent.append(words[0])
            return self.inner.execute(*words, **named)

    store._inner.cursor = Counting
    try:
        event = StoredEvent(id="a", person="p", item="i", behaviour="b")
        assert isinstance(_alone(store, Append(tenant=1, events=(event,))), Receipt)
    finally:
        del store._inner.cursor
    assert [one.split()[0] for one in sent] == ["BEGIN", "UPDATE", "SELECT", "INSERT", "COMMIT"]
