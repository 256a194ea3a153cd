"""Any task of any model: rows are answered, items are judged."""

import asyncio
from collections.abc import Mapping

from intertask.service import events, properties, versions
from intertask.service.database import Reading
from intertask.service.handlers.lists import steps_of
from intertask.service.prediction_bodies import PredictAnswer, PredictBody
from intertask.service.questions import Step, Value
from intertask.service.refusals import MissingError, UnavailableError
from intertask.service.running import Call, Running
from intertask.service.versions import ROWS

_SECOND = 1_000_000


async def predict(running: Running, call: Call, body: PredictBody) -> PredictAnswer:
    """Answer rows of a table, texts, pictures or recordings; or judge items for a user or a history."""
    if body.rows is None:
        return await _judged(running, call, body)
    version = await running.access.read(versions.active, call.tenant, ROWS)
    if version is None:
        raise MissingError("model", "a published model of rows", "none", "publish one: POST /v1/models")
    model = running.engine.predictors.get(version.digest)
    if model is None:
        raise UnavailableError("model", "one that is loaded", "none yet", "try again in a second")
    found = await asyncio.to_thread(model.predict, body.rows, body.task, body.at_least)
    return PredictAnswer(model=f"v{version.version}", predictions=tuple(found))


async def _judged(running: Running, call: Call, body: PredictBody) -> PredictAnswer:
    named = await running.engine.named(running.access, call.tenant)
    model, items, task = named.model, body.items or (), body.task or ""

    def stored(store: Reading) -> tuple[list[Step], Mapping[str, Value]]:
        name, most = body.user or "", 4 * model.max_length
        person = properties.person(store, call.tenant, name) if model.attributes.columns else None
        known = {} if person is None else person.properties
        return events.steps(store, call.tenant, name, most, named.seq), known

    steps, person = ([], {}) if body.user is None else await running.access.read(stored)
    known, _ = model.attributes.known(body.attributes, lambda: person)
    steps += steps_of(model, body.history or (), body.at)
    at = None if body.at is None else body.at // _SECOND
    found = await asyncio.to_thread(model.judge, steps, list(items), task, at, known)
    predictions = [{"item": item, **({task: found[item]} if item in found else {})} for item in items]
    return PredictAnswer(model=f"v{named.version}", predictions=tuple(predictions))
