"""Lists go out that are made for somebody: recommended, put in order."""

import time
from dataclasses import replace

import numpy as np

from intertask.service import answers, cursors, events, metrics
from intertask.service.answers import Given
from intertask.service.cursors import Cursor
from intertask.service.database import Reading
from intertask.service.events import StoredEvent
from intertask.service.exploring import seed_of
from intertask.service.fields import spelled
from intertask.service.handlers._behaviours import placed, refuse_unknown
from intertask.service.handlers.things import SHOWN, shown
from intertask.service.list_bodies import (
    GivenAnswer,
    GivenList,
    GivenQuery,
    ListedItem,
    NextBody,
    PastEvent,
    RecommendAnswer,
    RecommendBody,
    RerankAnswer,
    RerankBody,
    SeenRule,
)
from intertask.service.loaded import Loaded
from intertask.service.questions import Exploring, Question, Reply, Seen, Step
from intertask.service.refusals import MissingError, RefusedError, UnavailableError
from intertask.service.running import Call, Running
from intertask.service.schema import now

DAY = 86_400_000_000  # microseconds
_SECOND = 1_000_000


async def recommend(running: Running, call: Call, body: RecommendBody) -> RecommendAnswer:
    """The best items for a user, or for a history that comes with the request."""
    if isinstance(body.seen, SeenRule):
        await refuse_unknown(running, call, placed("seen.behaviours", body.seen.behaviours))
    known = await running.model(call.tenant) if body.history else None
    name, began = answers.new_id(), time.perf_counter()
    treatment = await running.treatments.of(call.tenant, body)
    question = _question(running, known, call, treatment.body, now(), name)
    reply = await running.engine.answer(replace(question, version=treatment.version))
    running.treatments.count(
        call.tenant,
        reply.version,
        failed=reply.degraded == "model",
        empty=not reply.items,
        seconds=time.perf_counter() - began,
    )
    cursor = Cursor(
        call.tenant,
        treatment.body,
        reply.version,
        reply.seq,
        now() + cursors.LASTS,
        np.array(reply.marks, np.int32),
        treatment.experiment,
        treatment.arm,
    )
    return await _titled(running, call, body, _page(running, reply, cursor, name))


async def _titled(
    running: Running, call: Call, body: RecommendBody, page: RecommendAnswer
) -> RecommendAnswer:
    """A page with the titles of its items, where they were asked for."""
    model = await running.model(call.tenant) if body.titles else None
    if model is None:
        return page
    ids = [one.item for one in page.items]
    ids += [reason.item for one in page.items for reason in one.because or ()]
    titles = model.titles(call.tenant, list(dict.fromkeys(ids)))
    items = []
    for one in page.items:
        changes: dict[str, object] = {"title": titles.get(one.item)}
        if one.because is not None:
            changes["because"] = tuple(
                reason.model_copy(update={"title": titles.get(reason.item)}) for reason in one.because
            )
        items.append(one.model_copy(update=changes))
    return page.model_copy(update={"items": tuple(items)})


async def further(running: Running, call: Call, body: NextBody) -> RecommendAnswer:
    """The next page of a list: no item twice, the same page when it is asked for again."""
    cursor = cursors.read(body.cursor, call.tenant, running.secret)
    asked = cursor.body if body.k is None else cursor.body.model_copy(update={"k": body.k})
    known = await running.model(call.tenant) if asked.history else None
    name = cursors.page_id(cursor, asked.k, running.secret)
    question = replace(
        _question(running, known, call, asked, cursor.until - cursors.LASTS, name),
        version=cursor.version,
        seq=cursor.seq,
        served=tuple(cursor.served.tolist()),
    )
    reply = await running.engine.answer(question)
    if reply.degraded:  # another list would repeat items of the pages before
        raise UnavailableError("database", "one that can be read", "none", "send the same cursor again")
    served = np.concatenate([cursor.served, np.array(reply.marks, np.int32)])
    page = _page(running, reply, replace(cursor, body=asked, served=served), name)
    return await _titled(running, call, asked, page)


def _page(running: Running, reply: Reply, cursor: Cursor, name: str) -> RecommendAnswer:
    """A page with the cursor of the one behind it; the last one has none. It is kept."""
    body, served = cursor.body, cursor.served
    running.recorder.keep(
        cursor.tenant,
        Given(
            recommendation=name,
            person=body.user,
            version=reply.version,
            scenario=body.scenario,
            experiment=cursor.experiment,
            arm=cursor.arm,
            seq=None if reply.degraded else reply.seq,
            items=tuple(item for item, _ in reply.items),
            scores=tuple(score for _, score in reply.items),
            propensities=reply.propensities,
        ),
    )
    metrics.lists(reply.degraded or "nothing").inc()
    for where, count in reply.unknown.items():
        metrics.IDS.labels(where).inc(count)
    ends = reply.degraded or len(reply.items) < body.k or len(served) >= cursors.MOST_SERVED
    part = {} if cursor.arm is None else {"experiment": cursor.experiment, "arm": cursor.arm}
    return RecommendAnswer(
        **part,
        recommendation=name,
        model=f"v{reply.version}",
        items=tuple(_listed(reply, place) for place in range(len(reply.items))),
        unknown=dict(reply.unknown),
        degraded="store" if reply.degraded == "store" else "model" if reply.degraded else None,
        cursor=None if ends else cursors.written(cursor, running.secret),
    )


def _listed(reply: Reply, place: int) -> ListedItem:
    """An item of a list, with what was asked for of it and nothing else."""
    item, score = reply.items[place]
    more: dict[str, object] = {}
    if reply.propensities:
        more["propensity"] = reply.propensities[place]
    if reply.because is not None:
        more["because"] = [{"item": name, "change": change} for name, change in reply.because[place]]
    return ListedItem.model_validate({"item": item, "score": score} | more)


async def given(running: Running, call: Call, body: GivenQuery) -> GivenAnswer:
    """Lists that were given, and the events that they led to."""
    return await running.access.read(_given, call.tenant, body)


def _given(store: Reading, tenant: int, body: GivenQuery) -> GivenAnswer:
    if body.user is not None:
        found = answers.of_person(store, tenant, body.user, SHOWN)
    else:
        one = answers.answer(store, tenant, body.recommendation or "")
        if one is None:
            raise MissingError(
                "recommendation", "the id of an answer that is kept", repr(body.recommendation)
            )
        found = [one]
    led = events.led_to(store, tenant, [one.recommendation for one in found])
    return GivenAnswer(lists=tuple(_kept(one, led[one.recommendation]) for one in found))


def _kept(one: Given, led: list[StoredEvent]) -> GivenList:
    reply = Reply(one.version, tuple(zip(one.items, one.scores, strict=True)), propensities=one.propensities)
    return GivenList(
        recommendation=one.recommendation,
        time=spelled(one.moment),
        user=one.person,
        model=f"v{one.version}",
        scenario=one.scenario,
        experiment=one.experiment,
        arm=one.arm,
        items=tuple(_listed(reply, place) for place in range(len(one.items))),
        events=tuple(map(shown, led)),
    )


async def rerank(running: Running, call: Call, body: RerankBody) -> RerankAnswer:
    """Put items into the order that suits a user or a history best."""
    wanted = RecommendBody.model_validate(
        body.model_dump(include={"user", "behaviour", "task", "objective"})
        | {"history": body.history, "allow": body.items, "k": len(body.items), "seen": False}
    ).model_copy(update={"at": body.at})
    known = await running.model(call.tenant) if body.history else None
    name = answers.new_id()
    reply = await running.engine.answer(_question(running, known, call, wanted, now(), name))
    marks = np.array(reply.marks, np.int32)
    cursor = Cursor(call.tenant, wanted, reply.version, reply.seq, now(), marks)
    page = _page(running, reply, cursor, name)
    ranked = {one.item for one in page.items}
    return RerankAnswer(
        recommendation=name,
        model=page.model,
        items=page.items,
        left_out=tuple(item for item in dict.fromkeys(body.items) if item not in ranked),
        degraded=page.degraded,
    )


def _question(
    running: Running, known: Loaded | None, call: Call, body: RecommendBody, asked: int, name: str
) -> Question:
    moment = None if body.at is None else body.at // _SECOND
    explore = body.explore
    return Question(
        tenant=call.tenant,
        person=body.user,
        history=steps_of(known, body.history or (), body.at),
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
        boosts=tuple((one.condition, one.factor) for one in body.boost),
        context=body.context,
        scenario=body.scenario,
        asked=asked,
        exploring=None
        if explore is None
        else Exploring(explore.temperature, explore.among, seed_of(name, running.secret)),
        explain=body.explain,
        attributes=body.attributes,
    )


def _seen(given: bool | SeenRule | None, asked: int) -> Seen | None:
    if isinstance(given, SeenRule):
        return Seen(given.behaviours, -(2**62) if given.days is None else asked - given.days * DAY)
    return Seen() if given else None


def steps_of(known: Loaded | None, history: tuple[PastEvent, ...], at: int | None) -> tuple[Step, ...]:
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
