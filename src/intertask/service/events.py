"""Events: stored once each, acknowledged when they are on disk, read back as histories."""

from typing import Literal, cast

from intertask.service.database import Reading, Row, Writing, listed, text, whole
from intertask.service.messages import Command, Done, Message
from intertask.service.refusals import ConflictError, MissingError, ReusedKeyError
from intertask.service.schema import now

DAY = 86_400_000_000  # microseconds
REMEMBERED = 2 * DAY  # of an idempotency key
_COLUMNS = "id, person, item, behaviour, time, events.value, session, recommendation"


class StoredEvent(Message):
    """One event as it is kept.

    Args:
        id: Of the client, unique within the tenant.
        person: Who.
        item: What.
        behaviour: Which kind of event.
        time: Microseconds since 1970; the moment of its arrival where the client gave none.
        value: A price, a rating, a number of seconds.
        session: Of the client.
        recommendation: The answer that led to it.
    """

    id: str
    person: str
    item: str
    behaviour: str
    time: int | None = None
    value: float | None = None
    session: str | None = None
    recommendation: str | None = None


class Receipt(Message):
    """What became of the events of one request.

    Args:
        stored: New ones.
        duplicates: Ones of an id that was stored before, with the same contents.
        late: New ones that happened before the last event of the same person that was stored already.
        seq: The number of the tenant's newest event.
        replayed: Whether the answer is that of the request that came first with this idempotency key.
    """

    stored: int
    duplicates: int
    late: int
    seq: int
    replayed: bool = False


class Append(Command[Receipt]):
    """Store events, each id once.

    Args:
        events: In the order in which they came.
        idempotency: The request's key.
        digest: Of the request's body.
    """

    answers = Receipt
    kind: Literal["append"] = "append"
    events: tuple[StoredEvent, ...]
    idempotency: str | None = None
    digest: str = ""

    def run(self, store: Writing) -> Receipt:
        """Store them.

        Raises:
            ReusedKeyError: The idempotency key came with another body.
            ConflictError: An id is that of another event.
        """
        moment = now()
        # Taken first: until the commit nobody else stores events of this tenant, so that nothing that is
        # looked up below can change, and numbers rise in the order of the commits. All events are new as a
        # rule: the number is that after them already, and set back where they are not.
        more = len(self.events)
        found = store.rows(
            "UPDATE tenants SET seq = seq + ? WHERE tenant = ? RETURNING seq", (more, self.tenant)
        )
        if not found:
            raise MissingError("tenant", "one that exists", "none")
        seq = whole(found[0][0]) - more
        if self.idempotency is not None and (answer := self._answered(store)) is not None:
            self._set(store, seq)
            return answer
        fresh, duplicates = self._fresh(store)
        late = self._late(store, fresh)
        store.run_many(
            "INSERT INTO events (tenant, person, time, seq, id, item, behaviour, value, session, "
            "recommendation, received) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    self.tenant,
                    event.person,
                    moment if event.time is None else event.time,
                    seq + place,
                    event.id,
                    event.item,
                    event.behaviour,
                    event.value,
                    event.session,
                    event.recommendation,
                    moment,
                )
                for place, event in enumerate(fresh, 1)
            ],
        )
        seq += len(fresh)
        if len(fresh) < more:
            self._set(store, seq)
        receipt = Receipt(stored=len(fresh), duplicates=duplicates, late=late, seq=seq)
        if self.idempotency is not None:
            store.run(
                "INSERT INTO requests (tenant, key, digest, answer, made) VALUES (?, ?, ?, ?, ?)",
                (self.tenant, self.idempotency, self.digest, receipt.model_dump_json(), moment),
            )
        return receipt

    def _set(self, store: Writing, seq: int) -> None:
        store.run("UPDATE tenants SET seq = ? WHERE tenant = ?", (seq, self.tenant))

    def _answered(self, store: Writing) -> Receipt | None:
        found = store.rows(
            "SELECT digest, answer FROM requests WHERE tenant = ? AND key = ?",
            (self.tenant, self.idempotency),
        )
        if not found:
            return None
        if found[0][0] != self.digest:
            raise ReusedKeyError(
                "Idempotency-Key",
                "a new key for a new request",
                "one that came with another body",
                "make a key for each request, and send it again with the same body only",
            )
        before = Receipt.model_validate_json(text(found[0][1]))
        return before.model_copy(update={"replayed": True})

    def _fresh(self, store: Writing) -> tuple[list[StoredEvent], int]:
        """The events whose ids are new, and how many are not."""
        rows = store.rows(
            f"SELECT {_COLUMNS} FROM {store.words.given} CROSS JOIN events "
            "WHERE events.tenant = ? AND events.id = given.value",
            (listed(dict.fromkeys(event.id for event in self.events)), self.tenant),
        )
        known = {event.id: event for event in map(_event, rows)}
        fresh: list[StoredEvent] = []
        for place, event in enumerate(self.events):
            before = known.get(event.id)
            if before is None:
                fresh.append(event)
                known[event.id] = event
            elif not _same(before, event):
                raise ConflictError(
                    f"events.{place} id",
                    "a new id for another event",
                    f"{event.id!r}, stored with other contents before",
                    "make a new id for each event; nothing was stored",
                )
        return fresh, len(self.events) - len(fresh)

    def _late(self, store: Writing, fresh: list[StoredEvent]) -> int:
        """How many happened before the person's last stored event."""
        timed = [event for event in fresh if event.time is not None]
        if not timed:
            return 0
        rows = store.rows(
            "SELECT given.value, (SELECT events.time FROM events WHERE events.tenant = ? "
            "AND events.person = given.value ORDER BY events.time DESC LIMIT 1) "
            f"FROM {store.words.given}",
            (self.tenant, listed(dict.fromkeys(event.person for event in timed))),
        )
        last = {text(person): whole(time) for person, time in rows if time is not None}
        return sum(
            event.time is not None and event.time < last.get(event.person, event.time) for event in timed
        )


def _same(before: StoredEvent, event: StoredEvent) -> bool:
    """Whether an event came again; one without a time got that of its arrival."""
    update = {"time": before.time} if event.time is None or before.time is None else {}
    return event.model_copy(update=update) == before.model_copy(update=update)


def _event(row: Row) -> StoredEvent:
    """An event from its columns."""
    name, person, item, behaviour, time, value, session, recommendation = row
    return StoredEvent(
        id=text(name),
        person=text(person),
        item=text(item),
        behaviour=text(behaviour),
        time=whole(time),
        value=None if value is None else float(value),
        session=None if session is None else text(session),
        recommendation=None if recommendation is None else text(recommendation),
    )


class Forget(Command[Done]):
    """Forget the idempotency keys of long ago."""

    answers = Done
    kind: Literal["forget"] = "forget"

    def run(self, store: Writing) -> Done:
        """Forget them."""
        return Done(changed=store.run("DELETE FROM requests WHERE made < ?", (now() - REMEMBERED,)) > 0)


def history(store: Reading, tenant: int, person: str, most: int) -> list[StoredEvent]:
    """The last events of a person, oldest first: by their time, equal ones as they came."""
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM events WHERE tenant = ? AND person = ? ORDER BY time DESC, seq DESC LIMIT ?",
        (tenant, person, most),
    )
    return [_event(row) for row in reversed(rows)]


def led_to(store: Reading, tenant: int, names: list[str]) -> dict[str, list[StoredEvent]]:
    """The events that came with the id of each of some answers, in the order of their coming."""
    rows = store.rows(
        # In two steps: in one, SQLite would look through all events of the tenant.
        f"SELECT {_COLUMNS} FROM events WHERE tenant = ? AND seq IN "
        f"(SELECT named.seq FROM {store.words.given} CROSS JOIN events AS named "
        "WHERE named.tenant = ? AND named.recommendation = given.value) ORDER BY seq",
        (tenant, listed(names), tenant),
    )
    found: dict[str, list[StoredEvent]] = {name: [] for name in names}
    for event in map(_event, rows):
        found[event.recommendation or ""].append(event)
    return found


def steps(store: Reading, tenant: int, person: str, most: int, seq: int) -> list[tuple[str, str, int]]:
    """The same as item, behaviour and time alone, of the events up to a number: what a model reads."""
    rows = store.rows(
        "SELECT item, behaviour, time FROM events WHERE tenant = ? AND person = ? AND seq <= ? "
        "ORDER BY time DESC, seq DESC LIMIT ?",
        (tenant, person, seq, most),
    )
    rows.reverse()
    return cast("list[tuple[str, str, int]]", rows)  # columns have types; to ask each value takes a while


def touched(
    store: Reading, tenant: int, person: str, behaviours: tuple[str, ...], since: int, seq: int
) -> list[str]:
    """The items of a person's events since a moment and up to a number, of some behaviours or of all."""
    chosen = f" AND behaviour IN {store.words.listed}" if behaviours else ""
    rows = store.rows(
        "SELECT DISTINCT item FROM events "
        f"WHERE tenant = ? AND person = ? AND time >= ? AND seq <= ?{chosen}",
        (tenant, person, since, seq, *([listed(behaviours)] if behaviours else [])),
    )
    return [text(row[0]) for row in rows]


def num_events(store: Reading, tenant: int) -> int:
    """How many events a tenant has."""
    return whole(store.rows("SELECT count(*) FROM events WHERE tenant = ?", (tenant,))[0][0])


def num_people(store: Reading, tenant: int) -> int:
    """How many people have an event."""
    return whole(store.rows("SELECT count(DISTINCT person) FROM events WHERE tenant = ?", (tenant,))[0][0])
