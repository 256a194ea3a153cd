"""Rules for all lists."""

import asyncio

import polars as pl

from intertask.answering.around import Around, matching_around
from intertask.answering.condition import parsed
from intertask.errors import RequestError
from intertask.service.bodies import DoneAnswer
from intertask.service.fields import NoBody, microseconds
from intertask.service.list_bodies import Boost
from intertask.service.questions import Question
from intertask.service.refusals import RefusedError
from intertask.service.rule_bodies import RuleBody, RuleQuery, RulesAnswer
from intertask.service.rules import DeleteRule, PutRule, Rule, rules
from intertask.service.running import Call, Running
from intertask.service.schema import now


async def put(running: Running, call: Call, body: RuleBody) -> DoneAnswer:
    """Set a rule, which counts for every list that begins from now on."""
    if body.when is not None:
        _refuse_columns(body.when)
    await _refuse_unreadable(running, call, body)
    times: dict[str, int] = {}
    if body.since is not None:
        times["first"] = microseconds(body.since)
    if body.until is not None:
        times["last"] = microseconds(body.until)
    rule = Rule(
        name=body.name,
        scenario=body.scenario,
        when=body.when,
        filter=body.filter,
        boosts=tuple((one.condition, one.factor) for one in body.boost),
        since=body.since,
        until=body.until,
        **times,
    )
    done = await running.access.write(PutRule(tenant=call.tenant, by=call.holder.key, rule=rule))
    return DoneAnswer(changed=done.changed)


async def look(running: Running, call: Call, _body: NoBody) -> RulesAnswer:
    """All rules, by name."""
    found = await running.access.read(rules, call.tenant)
    return RulesAnswer(rules=tuple(map(_shown, found)))


async def delete(running: Running, call: Call, body: RuleQuery) -> DoneAnswer:
    """Delete a rule."""
    done = await running.access.write(DeleteRule(tenant=call.tenant, by=call.holder.key, name=body.name))
    return DoneAnswer(changed=done.changed)


async def _refuse_unreadable(running: Running, call: Call, body: RuleBody) -> None:
    """Refuse a condition that no item could be asked about; that none has its property yet is no reason."""
    conditions = {f"boost.{place}.if": one.condition for place, one in enumerate(body.boost)}
    if body.filter is not None:
        conditions["filter"] = body.filter
    for where, condition in conditions.items():
        try:
            parsed(condition)
        except RequestError as error:
            raise RefusedError(where, error.expected, error.found, error.hint) from None
    try:
        named = await running.engine.named(running.access, call.tenant)
    except RefusedError:  # nothing is published yet
        return
    asked = Question(call.tenant, None, asked=now())
    for where, condition in conditions.items():
        try:
            await asyncio.to_thread(named.shelf.meets, condition, asked, dict, where)
        except RequestError as error:
            if not error.expected.startswith("columns of the catalogue"):
                raise RefusedError(where, error.expected, error.found, error.hint) from None


def _refuse_columns(condition: str) -> None:
    """Refuse a condition on more than the user and the context."""
    nobody = Around({"user": {}, "context": {}}, 0.0, "name user.NAME or context.NAME; filter is about items")
    try:
        matching_around(pl.DataFrame({"": [""]}), condition, nobody)
    except RequestError as error:
        expected = error.expected.replace("columns of the catalogue, ''", "user.NAME or context.NAME")
        raise RefusedError("when", expected, error.found, error.hint) from None


def _shown(rule: Rule) -> RuleBody:
    boost = tuple(
        Boost.model_validate({"if": condition, "factor": factor}) for condition, factor in rule.boosts
    )
    return RuleBody(
        name=rule.name,
        scenario=rule.scenario,
        when=rule.when,
        filter=rule.filter,
        boost=boost,
        since=rule.since,
        until=rule.until,
    )
