"""Lists go out: recommended, alike, popular."""

import asyncio
import secrets
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from intertask.service import cursors, metrics
from intertask.service.bodies import (
    NextBody,
    PastEvent,
    PopularQuery,
    RecommendAnswer,
    RecommendBody,
    ScoredItem,
    SeenRule,
    SimilarAnswer,
    SimilarBody,
)
from intertask.service.engine import Named
from intertask.service.loaded import Loaded
from intertask.service.questions import Question, Reply, Seen, Step
from intertask.service.refusals import MissingError, RefusedError, UnavailableError
from intertask.service.running import Call, Running
from intertask.service.schema import now

DAY = 86_400_000_000  # microseconds
_SECOND = 1_000_000


async def recommend(running: Running, call: Call, body: RecommendBody) -> RecommendAnswer:
    """The best items for a user, or for a history that comes with the request."""
    known = await running.model(call.tenant) if body.history else None
    reply = await running.engine.answer(_question(known, call, body, now()))
    served = np.array(reply.places, np.int32)
    return _page(running, call, reply, body, served, now() + cursors.LASTS)


async def further(running: Running, call: Call, body: NextBody) -> RecommendAnswer:
    """The next page of a list: no item twice, the same page when it is asked for again."""
    cursor = cursors.read(body.cursor, call.tenant, running.secret)
    asked = cursor.body if body.k is None else cursor.body.model_copy(update={"k": body.k})
    known = await running.model(call.tenant) if asked.history else None
    question = replace(
        _question(known, call, asked, cursor.until - cursors.LASTS),
        version=cursor.version,
        seq=cursor.seq,
        served=tuple(cursor.served.tolist()),
    )
    reply = await running.engine.answer(question)
    if reply.degraded:  # another list would repeat items of the pages before
        raise UnavailableError("database", "one that can be read", "none", "send the same cursor again")
    served = np.concatenate([cursor.served, np.array(reply.places, np.int32)])
    return _page(running, call, reply, asked, served, cursor.until)


def _page(
    running: Running, call: Call, reply: Reply, body: RecommendBody, served: NDArray[np.int32], until: int
) -> RecommendAnswer:
    """A page with the cursor of the one behind it; the last one has none."""
    metrics.LISTS.labels(reply.degraded or "nothing").inc()
    for where, count in reply.unknown.items():
        metrics.IDS.labels(where).inc(count)
    ends = reply.degraded or len(reply.items) < body.k or len(served) >= cursors.MOST_SERVED
    cursor = cursors.Cursor(call.tenant, body, reply.version, reply.seq, until, served)
    return RecommendAnswer(
        recommendation=f"rec_{time.time_ns() // 1_000_000:011x}{secrets.token_hex(10)}",
        model=f"v{reply.version}",
        items=tuple(ScoredItem(item=item, score=score) for item, score in reply.items),
        unknown=dict(reply.unknown),
        degraded="store" if reply.degraded == "store" else "model" if reply.degraded else None,
        cursor=None if ends else cursors.written(cursor, running.secret),
    )


async def similar(running: Running, call: Call, body: SimilarBody) -> SimilarAnswer:
    """The items that the active model takes for most alike."""
    named = await running.engine.named(running.access, call.tenant)
    found = await asyncio.to_thread(named.model.similar, body.item, body.k, named.hidden_I)
    if found is None:
        raise MissingError(
            "item",
            "an item that the active model was trained on",
            repr(body.item),
            "send its events and train",
        )
    return _list(named, found)


async def popular(running: Running, call: Call, body: PopularQuery) -> SimilarAnswer:
    """The items that were most frequent in the training of the active model."""
    named = await running.engine.named(running.access, call.tenant)
    return _list(named, named.model.popular(body.k, named.hidden_I))


def _list(named: Named, found: list[tuple[str, float]]) -> SimilarAnswer:
    items = tuple(ScoredItem(item=item, score=score) for item, score in found)
    return SimilarAnswer(model=f"v{named.version}", items=items)


def _question(known: Loaded | None, call: Call, body: RecommendBody, asked: int) -> Question:
    moment = None if body.at is None else body.at // _SECOND
    return Question(
        tenant=call.tenant,
        person=body.user,
        history=_steps(known, body.history or (), body.at),
        k=body.k,
        behaviour=body.behaviour,
        task=body.task,
        objective=body.objective,
        allow=body.allow,
        deny=body.deny,
        where=body.filter,
        at=moment,
        seen=_seen(body.seen, asked),
        recipe=body.seen is None,
    )


def _seen(given: bool | SeenRule | None, asked: int) -> Seen | None:
    if isinstance(given, SeenRule):
        return Seen(given.behaviours, -(2**62) if given.days is None else asked - given.days * DAY)
    return Seen() if given else None


def _steps(known: Loaded | None, history: tuple[PastEvent, ...], at: int | None) -> tuple[Step, ...]:
    """The events in their order: by their times, an event without one happened with the event before it."""
    if not history:
        return ()
    names = () if known is None else known.behaviours
    usual = "" if known is None else known.usual
    last = next((event.time for event in history if event.time is not None), at or 0)
    steps: list[Step] = []
    for place, event in enumerate(history):
        last = last if event.time is None else event.time
        behaviour = event.behaviour or usual
        if names and behaviour not in names:
            raise RefusedError(
                f"history.{place}.behaviour", f"one of {', '.join(names)}", repr(behaviour), "leave it out"
            )
        steps.append((event.item, behaviour, last))
    return tuple(sorted(steps, key=lambda step: step[2]))
