"""Experiments: begun, looked at, ended; and what other lists would have led to."""

from dataclasses import asdict

import numpy as np

from intertask.service import answers, effects, events, experiments, publishing, sizes
from intertask.service.answers import Given
from intertask.service.bodies import DoneAnswer
from intertask.service.database import Reading
from intertask.service.experiment_bodies import (
    ArmBody,
    ArmChanges,
    ArmResult,
    BegunAnswer,
    EffectAnswer,
    EstimateAnswer,
    EstimateBody,
    ExperimentBody,
    ExperimentQuery,
    ExperimentsAnswer,
    ResultAnswer,
    SizeAnswer,
    SizeBody,
)
from intertask.service.experiments import AddExperiment, Arm, EndExperiment, Experiment
from intertask.service.exploring import first
from intertask.service.fields import NoBody, spelled
from intertask.service.handlers._behaviours import placed, refuse_unknown
from intertask.service.offpolicy import estimate
from intertask.service.questions import Question
from intertask.service.refusals import ConflictError, MissingError
from intertask.service.running import Call, Running
from intertask.service.sizes import hit
from intertask.service.versions import ACTIVE

MOST_LISTS = 1_000_000  # of a result


async def add(running: Running, call: Call, body: ExperimentBody) -> BegunAnswer:
    """Begin an experiment, once every process has the models of its arms ready."""
    await refuse_unknown(running, call, placed("goals", body.goals))
    for arm in body.arms:
        if arm.version is not None:
            prepared = await publishing.prepare(running.access, call.tenant, arm.version)
            if prepared.alias != ACTIVE:
                raise ConflictError("arms", "versions that rank items", "one of rows", "leave it out")
    arms = tuple(
        Arm(
            name=arm.name,
            weight=arm.weight,
            version=arm.version,
            changes=(arm.changes or ArmChanges()).model_dump_json(exclude_unset=True, by_alias=True),
        )
        for arm in body.arms
    )
    begun = Experiment(name=body.name, arms=arms, share=body.share, scenario=body.scenario, goals=body.goals)
    done = await running.access.write(AddExperiment(tenant=call.tenant, by=call.holder.key, experiment=begun))
    asked = SizeBody(
        weights=tuple(arm.weight for arm in body.arms),
        share=body.share,
        scenario=body.scenario,
        goals=body.goals,
    )
    return BegunAnswer(changed=done.changed, size=await running.access.read(_size, call.tenant, asked))


async def size(running: Running, call: Call, body: SizeBody) -> SizeAnswer:
    """How many people an experiment needs, by what the last lists led to."""
    await refuse_unknown(running, call, placed("goals", body.goals))
    found = await running.access.read(_size, call.tenant, body)
    if found is None:
        raise ConflictError(
            "size",
            f"lists for {sizes.LEAST_PEOPLE} users at least, of which some led to a goal",
            "fewer",
            "send events with the id of the recommendation that led to them",
        )
    return found


def _size(store: Reading, tenant: int, body: SizeBody) -> SizeAnswer | None:
    found = sizes.size(store, tenant, body.goals, body.scenario, body.weights, body.share, body.detect)
    return None if found is None else SizeAnswer(**asdict(found))


async def end(running: Running, call: Call, body: ExperimentQuery) -> DoneAnswer:
    """End an experiment: its people get the lists of everybody again."""
    command = EndExperiment(tenant=call.tenant, by=call.holder.key, name=body.name)
    return DoneAnswer(changed=(await running.access.write(command)).changed)


async def look(running: Running, call: Call, _body: NoBody) -> ExperimentsAnswer:
    """All experiments, by name."""
    found = await running.access.read(experiments.experiments, call.tenant)
    return ExperimentsAnswer(experiments=tuple(map(_shown, found)))


async def result(running: Running, call: Call, body: ExperimentQuery) -> ResultAnswer:
    """What an experiment has shown so far: lists that led to an event of a goal, by arm."""
    return await running.access.read(_result, call.tenant, body.name)


async def other(running: Running, call: Call, body: EstimateBody) -> EstimateAnswer:
    """What the first place of lists would have led to, had another version or another way filled it."""
    await refuse_unknown(running, call, placed("goals", body.goals))
    if body.version is not None:
        await publishing.prepare(running.access, call.tenant, body.version)
    sample = await running.access.read(_drawn, call.tenant, body)
    chances, kept = [], []
    for given, led in sample:
        reply = await running.engine.answer(_asked_again(running, call, body, given))
        names = [item for item, _ in reply.items]
        place = names.index(given.items[0]) if given.items[0] in names else -1
        if body.explore is None:
            chances.append(float(place == 0))
        else:
            scores = np.array([score for _, score in reply.items], np.float64)
            chances.append(float(first(scores, body.explore.temperature)[place]) if place >= 0 else 0.0)
        kept.append((float(led), given.propensities[0]))
    rewards, drawn = np.array(kept, np.float64).reshape(-1, 2).T
    found = estimate(rewards, drawn, np.array(chances, np.float64))
    return EstimateAnswer(
        ips=found.ips,
        ips_error=found.ips_error,
        snips=found.snips,
        snips_error=found.snips_error if np.isfinite(found.snips_error) else None,
        logged=found.logged,
        lists=found.rows,
        effective=found.effective,
        largest_weight=found.largest,
    )


def _asked_again(running: Running, call: Call, body: EstimateBody, given: Given) -> Question:
    """The question of a list, as it was asked then."""
    return Question(
        tenant=call.tenant,
        person=given.person,
        k=1 if body.explore is None else body.explore.among,
        behaviour=body.behaviour,
        task=body.task,
        objective=body.objective,
        version=body.version,
        seq=given.seq,
        asked=given.moment,
    )


def _drawn(store: Reading, tenant: int, body: EstimateBody) -> list[tuple[Given, bool]]:
    """The last lists that were drawn, and whether their first place led to something."""
    given = [
        one
        for one in answers.drawn(store, tenant, body.most)
        if one.person is not None and one.seq is not None and one.propensities
    ]
    led = events.led_to(store, tenant, [one.recommendation for one in given])
    return [(one, hit(led[one.recommendation], body.goals, one.items[:1])) for one in given]


def _result(store: Reading, tenant: int, name: str) -> ResultAnswer:
    found = experiments.experiment(store, tenant, name)
    if found is None:
        raise MissingError("name", "an experiment", repr(name), "see GET /v1/experiments")
    people: dict[str, dict[str, list[int]]] = {arm.name: {} for arm in found.arms}
    after, lists = "", 0
    while part := experiments.shown(store, tenant, name, after):
        led = events.led_to(store, tenant, [one for one, *_ in part])
        for one, person, name_of_arm, items in part:
            counted = people[name_of_arm].setdefault(person, [0, 0])
            counted[0] += 1
            counted[1] += hit(led[one], found.goals, items)
        after, lists = part[-1][0], lists + len(part)
        if lists > MOST_LISTS:
            raise ConflictError(
                "result", f"an experiment of at most {MOST_LISTS:,} lists", "more", "end it, and export it"
            )
    shares = []
    for arm in found.arms:
        table = np.array(list(people[arm.name].values()), np.int64).reshape(-1, 2)
        shares.append(effects.share(table[:, 0], table[:, 1]))
    control = shares[0]
    rows = [(arm, effects.effect(control, one)) for arm, one in zip(found.arms, shares, strict=True)][1:]
    uneven = effects.mismatch([one.people for one in shares], [arm.weight for arm in found.arms])
    return ResultAnswer(
        name=name,
        running=found.ended is None,
        arms=tuple(_arm(arm.name, one) for arm, one in zip(found.arms, shares, strict=True)),
        effects=tuple(
            EffectAnswer(
                arm=arm.name,
                against=found.arms[0].name,
                difference=one.difference,
                low=one.low,
                high=one.high,
                p_value=one.p_value,
            )
            for arm, one in rows
        ),
        uneven_p_value=uneven,
        trusted=uneven >= effects.MISMATCH,
    )


def _arm(name: str, share: effects.Share) -> ArmResult:
    low, high = share.interval
    return ArmResult(
        name=name,
        people=share.people,
        lists=share.lists,
        hits=share.hits,
        rate=share.rate,
        low=low if np.isfinite(low) else 0.0,
        high=high if np.isfinite(high) else 1.0,
    )


def _shown(one: Experiment) -> ExperimentBody:
    return ExperimentBody(
        name=one.name,
        arms=tuple(
            ArmBody(
                name=arm.name,
                weight=arm.weight,
                version=arm.version,
                changes=ArmChanges.model_validate_json(arm.changes),
            )
            for arm in one.arms
        ),
        share=one.share,
        scenario=one.scenario,
        goals=one.goals,
        began=spelled(one.created),
        ended=None if one.ended is None else spelled(one.ended),
    )
