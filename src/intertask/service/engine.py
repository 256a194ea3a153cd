"""Models in memory, and one thread that asks them: requests that wait together are answered together.

Every batch reads the store in a snapshot that begins after its requests came, so that an event that was
acknowledged before a request is in its answer, whichever process took it.
"""

import asyncio
import queue
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from intertask.answering.objective import Objective
from intertask.errors import IntertaskError
from intertask.service import events, properties, tenants, versions
from intertask.service.access import Access
from intertask.service.database import Reading
from intertask.service.explaining import because
from intertask.service.exploring import drawn
from intertask.service.loaded import Loaded, Prepared
from intertask.service.predicting import Predicting
from intertask.service.questions import Question, Reply, Seen, Step, Value
from intertask.service.refusals import BusyError, ConflictError, FaultError, MissingError, UnavailableError
from intertask.service.shelf import Shelf

MOST_TOGETHER = 64  # questions that are answered from one look at the store
MOST_RANKED = 32  # of them at once: their scores of all items take room
MOST_WAITING = 256
READ_TIMES, LEAST_READ = 4, 200  # events of a history, by what a model reads: some it may not know

Future = asyncio.Future[Reply]


def too_many() -> BusyError:
    """Why a question is refused while too many wait."""
    return BusyError("requests", f"at most {MOST_WAITING} that wait", "more", "try again in a second")


@dataclass(frozen=True)
class Waiting:
    """A question, and who waits for its answer."""

    question: Question
    future: Future
    loop: asyncio.AbstractEventLoop

    def tell(self, answer: Reply | Exception) -> None:
        """Hand over the answer; whoever asked may have gone."""

        def settle() -> None:
            if self.future.done():
                return
            if isinstance(answer, Reply):
                self.future.set_result(answer)
            else:
                self.future.set_exception(answer)

        self.loop.call_soon_threadsafe(settle)


@dataclass
class Named:
    """What a tenant's questions are answered by.

    Args:
        version: Its number.
        model: In memory.
        shelf: What the tenant says of the items.
        seq: The number of the tenant's last event.
    """

    version: int
    model: Loaded
    shelf: Shelf
    seq: int


class Engine:
    """Answers questions.

    Args:
        here: The reading connection of the thread that asks.
    """

    def __init__(self, here: Callable[[], Reading]) -> None:
        self._here = here
        self.models: dict[str, Loaded] = {}  # by digest; replaced as a whole, never changed in place
        self.predictors: dict[str, Predicting] = {}  # as well
        self.grown: dict[tuple[int, str], Loaded] = {}  # with items that a tenant has set since; as well
        self._last: dict[int, Named] = {}  # by tenant, for when the store cannot be read
        self._waiting: queue.Queue[Waiting | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)

    @property
    def full(self) -> bool:
        """Whether one more question would be refused."""
        return self._waiting.full()

    def model(self, tenant: int, digest: str) -> Loaded | None:
        """A model in memory, with the items that a tenant has set since its training."""
        own = self.models.get(digest)
        return None if own is None else self.grown.get((tenant, digest), own)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what waits, and end."""
        self._waiting.put(None)
        self._thread.join()

    async def answer(self, question: Question) -> Reply:
        """The answer to a question.

        Raises:
            BusyError: Too many wait.
            IntertaskError: The question cannot be answered.
        """
        loop = asyncio.get_running_loop()
        future: Future = loop.create_future()
        try:
            self._waiting.put_nowait(Waiting(question, future, loop))
        except queue.Full:
            raise too_many() from None
        return await future

    async def named(self, access: Access, tenant: int, version: int | None = None) -> Named:
        """What a tenant's questions are answered by: by a version, or by the active one.

        Raises:
            MissingError: Nothing is published.
            ConflictError: The version is no longer in memory.
            UnavailableError: It is not loaded.
        """
        return await access.read(self._named, tenant, version)

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            together = [first]
            while len(together) < MOST_TOGETHER:
                try:
                    waiting = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if waiting is None:
                    self._waiting.put(None)
                    break
                together.append(waiting)
            # Whoever has hung up in the meantime needs no answer.
            together = [waiting for waiting in together if not waiting.future.cancelled()]
            try:
                self._answer(together)
            except Exception as error:  # the thread must live, and nobody may wait forever
                traceback.print_exc()
                for waiting in together:
                    waiting.tell(FaultError("recommend", "an answer", type(error).__name__))

    def _answer(self, together: Sequence[Waiting]) -> None:
        degraded = None
        try:
            store = self._here()
            with store.snapshot():
                known: dict[tuple[int, int | None], Named] = {}  # the same for all of this snapshot
                prepared = [self._prepared(store, waiting.question, known) for waiting in together]
        except UnavailableError:
            degraded = "store"
            prepared = [self._without_store(waiting.question) for waiting in together]
        groups: dict[object, list[tuple[Waiting, Named, Prepared]]] = {}
        for waiting, found in zip(together, prepared, strict=True):
            if isinstance(found, IntertaskError):
                waiting.tell(found)
                continue
            named, one = found
            groups.setdefault((id(named.model), named.version, _key(one.aim)), []).append(
                (waiting, named, one)
            )
        for group in groups.values():
            for first in range(0, len(group), MOST_RANKED):
                self._ranked(group[first : first + MOST_RANKED], degraded)

    def _prepared(
        self, store: Reading, question: Question, known: dict[tuple[int, int | None], Named]
    ) -> tuple[Named, Prepared] | IntertaskError:
        try:
            named = known.get((question.tenant, question.version))
            if named is None:
                named = self._named(store, question.tenant, question.version)
                known[question.tenant, question.version] = named
            if question.seq is not None:
                named = replace(named, seq=question.seq)
            steps = list(question.history)
            seen: list[str] = []
            rule = self._rule(named.model, question)
            if question.person is not None:
                most = max(LEAST_READ, READ_TIMES * named.model.max_length)
                stored = events.steps(store, question.tenant, question.person, most, named.seq)
                steps = stored + steps
                if rule is not None and len(stored) < most:  # those are all
                    seen = _touched(stored, rule)
                elif rule is not None:
                    seen = events.touched(
                        store, question.tenant, question.person, rule.behaviours, rule.since, named.seq
                    )
            seen += [] if rule is None else _touched(question.history, rule)
            name = question.person

            @cache
            def person() -> Mapping[str, Value]:
                known = None if name is None else properties.person(store, question.tenant, name)
                return {} if known is None else known.properties

            return named, named.model.prepare(question, steps, seen, named.shelf, person)
        except UnavailableError:
            raise
        except IntertaskError as error:
            return error

    def _named(self, store: Reading, tenant: int, version: int | None = None) -> Named:
        if version is not None:
            return self._pinned(store, tenant, version)
        active = versions.active(store, tenant)
        if active is None:
            raise MissingError("model", "a published model", "none", "publish one: POST /v1/models/publish")
        model = self.model(tenant, active.digest)
        if model is None:  # this process has just started, or could not load it
            last = self._last.get(tenant)
            if last is None or last.model.digest not in self.models:
                raise UnavailableError("model", "one that is loaded", "none yet", "try again in a second")
            return last
        named = self._last[tenant] = _of(store, tenant, active.version, model)
        return named

    def _pinned(self, store: Reading, tenant: int, number: int) -> Named:
        """The version that a cursor names; it is kept in memory until the next but one is published."""
        found = versions.version(store, tenant, number)
        model = None if found is None else self.model(tenant, found.digest)
        if model is None:
            raise ConflictError(
                "cursor",
                "one of a version that still answers",
                f"version {number}",
                "ask for the first page again",
            )
        return _of(store, tenant, number, model)

    def _without_store(self, question: Question) -> tuple[Named, Prepared] | IntertaskError:
        named = self._last.get(question.tenant)
        if named is None:
            return UnavailableError("database", "one that can be read", "none", "try again later")
        try:
            rule = self._rule(named.model, question)
            seen = [] if rule is None else _touched(question.history, rule)
            return named, named.model.prepare(question, question.history, seen, named.shelf)
        except IntertaskError as error:
            return error

    def _rule(self, model: Loaded, question: Question) -> Seen | None:
        return (Seen() if model.masks_seen else None) if question.recipe else question.seen

    def _ranked(self, group: Sequence[tuple[Waiting, Named, Prepared]], degraded: str | None) -> None:
        named = group[0][1]
        try:
            ranked, unknown = named.model.rank([one for _, _, one in group])
            rows = [
                (items[filled], scores[filled])
                for items, scores, filled in zip(
                    ranked.items_BK, ranked.scores_BK, ranked.filled_BK, strict=True
                )
            ]
        except Exception:  # whatever it is, people get a list
            traceback.print_exc()
            for waiting, own, one in group:
                popular = own.model.popular(one.question.k, one.banned_I)
                waiting.tell(Reply(own.version, tuple(popular), {}, "model"))
            return
        for (waiting, own, one), (items, scores), counts in zip(group, rows, unknown, strict=True):
            try:
                waiting.tell(_reply(own, one, items, scores, counts, degraded))
            except Exception as error:  # an explanation that fails is no matter of the other requests
                traceback.print_exc()
                waiting.tell(FaultError("recommend", "an answer", type(error).__name__))


def _reply(
    own: Named,
    one: Prepared,
    items: NDArray[np.int64],
    scores: NDArray[np.float32],
    unknown: Mapping[str, int],
    degraded: str | None,
) -> Reply:
    """The answer to a question, from the items that were ranked for it."""
    k, exploring, propensities = one.question.k, one.question.exploring, ()
    if exploring is not None and len(items):
        among = max(k, exploring.among)
        order, chances = drawn(scores[:among], k, exploring.temperature, exploring.seed)
        items, scores, propensities = items[order], scores[order], tuple(chances.tolist())
    items, scores = items[:k], scores[:k]
    pairs = zip(own.model.names(items), scores.tolist(), strict=True)
    places = tuple(items.tolist())
    reasons = because(own.model, one, places) if one.question.explain else None
    marks = tuple(own.model.marks.of(places))
    return Reply(own.version, tuple(pairs), unknown, degraded, marks, own.seq, propensities, reasons)


def _of(store: Reading, tenant: int, version: int, model: Loaded) -> Named:
    revision, seq = tenants.state(store, tenant)
    shelf = model.shelf(tenant)
    shelf.refresh(store, revision)
    return Named(version, model, shelf, seq)


def _touched(steps: Sequence[Step], rule: Seen) -> list[str]:
    """The items of events that are left out."""
    touched = dict.fromkeys(
        item
        for item, behaviour, time in steps
        if time >= rule.since and (not rule.behaviours or behaviour in rule.behaviours)
    )
    return list(touched)


def _key(aim: str | Objective) -> object:
    return aim if isinstance(aim, str) else (aim.finder, *sorted(aim.weights.items()))
