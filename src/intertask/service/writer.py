"""One thread that writes: commands that wait together share a commit, and each is answered after it.

Nothing waits for others to come: what arrived while the disk was busy with one commit is the next one. A
command that refuses takes nothing of its neighbours with it; a disk that fails takes the whole commit, and
all of them are told so.
"""

import queue
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from intertask.errors import IntertaskError
from intertask.service import audit
from intertask.service.commands import AnyCommand
from intertask.service.database import Database, Writing
from intertask.service.messages import Message
from intertask.service.refusals import FaultError, RefusedError, UnavailableError

MOST_JOBS = 512
MOST_SECONDS = 0.005  # that a commit goes on taking commands
MOST_WAITING = 10_000
SETTLE_SECONDS = 0.25  # between two tries to have erased data gone from the disk

Told = Callable[[Message | IntertaskError], None]


@dataclass(frozen=True)
class Waiting:
    """A command that waits, and who is told what came of it."""

    command: AnyCommand
    told: Told


class Writer:
    """Runs commands in the order in which they come, those of one tenant at least.

    Args:
        database: Where it writes; the connection is made by its own thread.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: queue.Queue[Waiting | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._failed: list[BaseException] = []
        self._ready = threading.Event()
        self._unsettled, self._next = True, 0.0  # a writer that was killed may have left something to settle

    def start(self) -> None:
        """Connect.

        Raises:
            IntertaskError: The database cannot be used.
        """
        self._thread.start()
        self._ready.wait()
        if self._failed:
            raise self._failed[0]

    def give(self, command: AnyCommand, told: Told) -> None:
        """Have a command run; `told` is called by the writing thread, after the commit.

        Raises:
            UnavailableError: Too many wait already.
        """
        try:
            self._waiting.put_nowait(Waiting(command, told))
        except queue.Full:
            raise UnavailableError(
                "database", f"at most {MOST_WAITING:,} changes that wait", "more", "try again later"
            ) from None

    def stop(self) -> None:
        """Finish what waits, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        try:
            store = self._database.writing()
        except BaseException as error:  # raised again by `start`
            self._failed.append(error)
            self._ready.set()
            return
        self._ready.set()
        while True:
            try:
                first = self._waiting.get(timeout=SETTLE_SECONDS if self._unsettled else None)
            except queue.Empty:
                self._settle(store)
                continue
            if first is None or not self._commit(store, first):
                break
            self._settle(store)
        self._settle(store)
        store.close()

    def _settle(self, store: Writing) -> None:
        """After something was erased: have it gone from the disk, as soon as nobody reads what was before."""
        if self._unsettled and time.monotonic() >= self._next:
            self._unsettled = not store.settle()
            self._next = time.monotonic() + SETTLE_SECONDS

    def _commit(self, store: Writing, first: Waiting) -> bool:
        """Run what waits in one transaction; False where the end came up."""
        taken, going_on = self._taken(first)
        # Two processes that lock the same tenants in the same order never wait for each other.
        taken.sort(key=lambda waiting: waiting.command.tenant)
        answers: list[Message | IntertaskError] = []
        try:
            store.check_alive()
            if len(taken) == 1:  # a part of its own would be two more journeys to a server
                answers = [_alone(store, taken[0].command)]
            else:
                with store.transaction():
                    answers = [_answer(store, waiting.command) for waiting in taken]
        except RefusedError as error:
            answers = [error] * len(taken)
        except Exception as error:  # nobody may wait forever, and the thread must live
            answers = [_broken(error)] * len(taken)
        for waiting, answer in zip(taken, answers, strict=True):
            self._unsettled |= waiting.command.erases
            waiting.told(answer)
        return going_on

    def _taken(self, first: Waiting) -> tuple[list[Waiting], bool]:
        taken, end = [first], time.monotonic() + MOST_SECONDS
        while len(taken) < MOST_JOBS and time.monotonic() < end:
            try:
                waiting = self._waiting.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                return taken, False
            taken.append(waiting)
        return taken, True


def _answer(store: Writing, command: AnyCommand) -> Message | IntertaskError:
    """What a command answers, or why it refuses.

    Raises:
        UnavailableError: The database fails: nothing of this transaction can be kept.
    """
    return _run(store, command, store.part())


def _alone(store: Writing, command: AnyCommand) -> Message | IntertaskError:
    """The same in a transaction of its own.

    Raises:
        UnavailableError: The database fails.
    """
    return _run(store, command, store.transaction())


def _run(store: Writing, command: AnyCommand, part: AbstractContextManager[None]) -> Message | IntertaskError:
    found: Message | None = None
    try:
        with part:
            found = command.run(store)
            if command.by:
                audit.note(store, command.tenant, command.by, command.kind, command.subject)
        return found
    except UnavailableError:
        raise
    except Exception as error:
        if found is not None:  # it ran, and the database cannot keep it
            raise
        if isinstance(error, IntertaskError):
            return error
        # A fault of ours is no matter of the other commands.
        traceback.print_exc()
        return FaultError("command", f"{command.kind} that can be run", type(error).__name__)


def _broken(error: Exception) -> IntertaskError:
    if isinstance(error, IntertaskError):
        return UnavailableError(error.where, error.expected, error.found, error.hint)
    return UnavailableError("database", "a change that can be made", f"{type(error).__name__}: {error}")
