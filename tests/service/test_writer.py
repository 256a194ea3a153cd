"""Commands through the writer and over the socket: durable when answered, and never answered twice."""

import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest

from intertask.service import wire
from intertask.service.access import Access
from intertask.service.events import Append, Receipt, StoredEvent, history, num_events
from intertask.service.messages import Command, Done
from intertask.service.refusals import ConflictError, RefusedError, UnavailableError
from intertask.service.writer import Writer, _alone


def command(number: int, item: str = "x", tenant: int = 1) -> Append:
    event = StoredEvent(id=f"e{number}", person="ann", item=item, behaviour="view", time=number)
    return Append(tenant=tenant, events=(event,))


class Answers:
    """What the writer told, by the number of the command."""

    def __init__(self, number: int) -> None:
        self.found: dict[int, object] = {}
        self.number, self.all = number, threading.Event()

    def of(self, number: int):
        def told(answer: object) -> None:
            self.found[number] = answer
            if len(self.found) == self.number:
                self.all.set()

        return told

    def wait(self) -> dict[int, object]:
        assert self.all.wait(10)
        return self.found


def test_commands_that_wait_share_commits_and_a_refusal_is_one_commands_own(store, database):
    writer, answers = Writer(database), Answers(101)
    writer.start()
    for number in range(100):
        writer.give(command(number), answers.of(number))
    writer.give(command(7, item="another"), answers.of(100))
    found = answers.wait()
    writer.stop()
    assert isinstance(found[100], ConflictError)
    assert all(isinstance(found[number], Receipt) for number in range(100))
    assert num_events(store, 1) == 100
    # Each answer says the number of its own event, in the order of the commands.
    assert [found[number].seq for number in range(100)] == list(range(1, 101))


def test_what_is_told_is_committed_already(store, database):
    writer, seen, done = Writer(database), [], threading.Event()
    writer.start()
    reading = database.reading()

    def told(_answer: object) -> None:  # by the writing thread: nothing was committed in between
        done.set()

    for number in range(5):
        done.clear()
        writer.give(command(number), told)
        assert done.wait(10)
        with reading.snapshot():
            seen.append(num_events(reading, 1))
    writer.stop()
    reading.close()
    assert seen == [1, 2, 3, 4, 5]


def test_a_fault_of_one_command_harms_no_other(store, database, monkeypatch, capsys):
    run = Append.run

    def sometimes(self, store):
        if self.events[0].item == "fault":
            store.run("INSERT INTO tenants (tenant, name, created) VALUES (9, 'half', 0)")
            raise ZeroDivisionError
        return run(self, store)

    monkeypatch.setattr(Append, "run", sometimes)
    writer, answers = Writer(database), Answers(3)
    writer.start()
    for number, item in enumerate(["x", "fault", "y"]):
        writer.give(command(number, item), answers.of(number))
    found = answers.wait()
    writer.stop()
    assert isinstance(found[0], Receipt) and isinstance(found[2], Receipt)
    assert "expected append that can be run, found ZeroDivisionError" in str(found[1])
    assert num_events(store, 1) == 2
    assert store.rows("SELECT count(*) FROM tenants") == [(2,)]
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_full_disk_refuses_everything_and_is_over_when_there_is_room(store, database, address):
    if address != "sqlite":
        pytest.skip("SQLite can be told how many pages it may have")
    writer, answers = Writer(database), Answers(1)
    writer.start()
    big = [command(number, "x" * 9_000) for number in range(50)]
    writer.give(big[0], answers.of(0))
    answers.wait()
    writer.stop()

    class Small:
        def writing(self):
            connection = database.writing()
            connection.rows("PRAGMA max_page_count = 60")
            return connection

    full, answers = Writer(Small()), Answers(50)
    full.start()
    for number, one in enumerate(big):
        full.give(one, answers.of(number))
    found = answers.wait()
    full.stop()
    refused = [number for number, answer in found.items() if isinstance(answer, UnavailableError)]
    assert refused and "full" in str(found[refused[0]])
    kept = {event.id for event in history(store, 1, "ann", 100)}
    assert kept == {f"e{number}" for number in found if number not in refused} | {"e0"}
    assert store.rows("PRAGMA integrity_check") == [("ok",)]


def test_two_processes_that_write_to_postgresql_never_lose_or_double_a_number(store, database, address):
    if address == "sqlite":
        pytest.skip("one process alone writes to SQLite")
    writers, answers = [Writer(database) for _ in range(2)], Answers(200)
    for writer in writers:
        writer.start()
    for number in range(200):
        writers[number % 2].give(command(number // 2, tenant=1 + number % 3 % 2), answers.of(number))
    found = answers.wait()
    for writer in writers:
        writer.stop()
    assert all(isinstance(answer, Receipt) for answer in found.values())
    for tenant in (1, 2):
        seqs = [
            seq for (seq,) in store.rows("SELECT seq FROM events WHERE tenant = ? ORDER BY seq", (tenant,))
        ]
        assert seqs == list(range(1, len(seqs) + 1)) and len(seqs) > 50


def test_over_the_socket_many_ask_at_once_and_each_gets_its_own_answer(store, database, tmp_path):
    async def ask() -> None:
        writer = Writer(database)
        writer.start()
        server = await wire.serve(tmp_path / "s", writer)
        access = Access(database, tmp_path / "s")
        access.start()
        found = await asyncio.gather(
            *(access.write(command(number)) for number in range(50)),
            access.write(command(3, item="another")),
            return_exceptions=True,
        )
        assert isinstance(found[50], ConflictError) and "events.0 id" in found[50].where
        assert [answer.seq for answer in found[:50]] == list(range(1, 51))
        assert await access.read(num_events, 1) == 50
        await access.close()
        server.close()
        await asyncio.to_thread(writer.stop)

    asyncio.run(ask())


def test_without_the_process_that_writes_a_change_is_refused_and_reading_goes_on(
    store, database, tmp_path, monkeypatch
):
    monkeypatch.setattr(wire, "RECONNECT_SECONDS", 0.1)

    async def ask() -> None:
        access = Access(database, tmp_path / "nobody")
        access.start()
        with pytest.raises(UnavailableError, match="the process that writes it, found none; try again later"):
            await access.write(command(1))
        assert await access.read(num_events, 1) == 0
        await access.close()

    asyncio.run(ask())


KILLED = """
import sys, threading
from pathlib import Path
from intertask.service.opening import opened
from intertask.service.events import Append, StoredEvent
from intertask.service.writer import Writer
writer = Writer(opened(sys.argv[1], Path(sys.argv[2])))
writer.start()
under_way = threading.Semaphore(200)
def told(number):
    def say(answer):
        under_way.release()
        print(number, type(answer).__name__, flush=True)
    return say
for number in range(int(sys.argv[3]), 10**9):
    event = StoredEvent(id=f"e{number}", person="ann", item="x", behaviour="view", time=number)
    under_way.acquire()
    writer.give(Append(tenant=1, events=(event,)), told(number))
"""


def test_killed_while_it_writes_it_has_lost_nothing_that_it_answered(store, address, tmp_path):
    acknowledged: set[str] = set()
    for start in (0, 10**6):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, address, str(tmp_path), str(start)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(150)]
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        told = [line.split() for line in lines if line.endswith("\n")]
        assert {kind for _, kind in told} == {"Receipt"}
        acknowledged |= {f"e{number}" for number, _ in told}
    stored = [name for (name,) in store.rows("SELECT id FROM events")]
    assert len(stored) == len(set(stored)) and acknowledged <= set(stored) and len(acknowledged) >= 300


@pytest.mark.parametrize("error", [RefusedError("a", "b", "c"), ValueError("a fault of ours")])
def test_a_command_alone_takes_effect_as_a_whole_or_not_at_all(store, error, capsys):
    class Half(Command[Done]):
        kind: str = "half"
        fails: bool

        def run(self, store):
            store.run("INSERT INTO secrets (name, value) VALUES ('half', 'x')")
            if self.fails:
                raise error
            return Done()

    def kept():
        return len(store.rows("SELECT name FROM secrets WHERE name = 'half'"))

    found = _alone(store, Half(fails=True))
    assert isinstance(found, RefusedError) and found.status == (500 if isinstance(error, ValueError) else 400)
    assert kept() == 0
    assert _alone(store, Half(fails=False)) == Done() and kept() == 1
