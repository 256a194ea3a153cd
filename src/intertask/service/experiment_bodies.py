"""The bodies of requests and answers about experiments and what they show."""

from typing import Annotated, Self

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from intertask.service.fields import MOST_K, Body, Number, Word
from intertask.service.list_bodies import Boost, Explore

VersionNumber = Annotated[StrictInt, Field(ge=1, lt=2**31)]


class ArmChanges(Body):
    """What of a request is other than it came; of objective, task and behaviour one stands for all three."""

    objective: Annotated[dict[Word, Number], Field(min_length=1, max_length=64)] | None = None
    task: Word | None = None
    behaviour: Word | None = None
    filter: Annotated[StrictStr, Field(max_length=2_000)] | None = None
    boost: Annotated[tuple[Boost, ...], Field(max_length=20)] = ()
    explore: Explore | None = None


class ArmBody(Body):
    """A way of making lists.

    Args:
        name: Of the arm.
        weight: Its share of the people, beside those of the others.
        version: Of the model; the active one if left out.
        changes: What of a request is other than it came.
    """

    name: Word
    weight: Annotated[Number, Field(gt=0, le=1e6)] = 1.0
    version: VersionNumber | None = None
    changes: ArmChanges | None = None


class ExperimentBody(Body):
    """An experiment.

    Args:
        name: People are shared out by it.
        arms: The first one is the control.
        share: Of the people that take part.
        scenario: Of the requests that take part; all if left out.
        goals: Behaviours that a list is to lead to; any if left out.
        began: When it began; told, not taken.
        ended: When it ended; told, not taken.
    """

    name: Word
    arms: Annotated[tuple[ArmBody, ...], Field(min_length=2, max_length=10)]
    share: Annotated[Number, Field(gt=0, le=1)] = 1.0
    scenario: Word | None = None
    goals: Annotated[tuple[Word, ...], Field(max_length=255)] = ()
    began: StrictStr | None = None
    ended: StrictStr | None = None

    @model_validator(mode="after")
    def _arms(self) -> Self:
        if len({arm.name for arm in self.arms}) < len(self.arms):
            raise ValueError("arms of different names, not one name twice")
        return self


class SizeBody(Body):
    """An experiment whose size is asked for.

    Args:
        weights: Of the arms, the control first.
        share: Of the people that take part.
        scenario: Of the requests that take part; all if left out.
        goals: Behaviours that a list is to lead to; any if left out.
        detect: The difference that is to be seen with a probability of 80 %, as a part of the rate.
    """

    weights: Annotated[
        tuple[Annotated[Number, Field(gt=0, le=1e6)], ...], Field(min_length=2, max_length=10)
    ] = (1.0, 1.0)
    share: Annotated[Number, Field(gt=0, le=1)] = 1.0
    scenario: Word | None = None
    goals: Annotated[tuple[Word, ...], Field(max_length=255)] = ()
    detect: Annotated[Number, Field(ge=0.001, le=10)] = 0.05


class SizeAnswer(Body):
    """What an experiment needs, by what the last lists led to.

    Args:
        rate: Hits per list, without the experiment.
        people: That must see a list in the experiment, all arms together.
        people_a_day: Who saw one, on a day.
        days: That the experiment takes.
        lists: That this was learned from.
    """

    rate: float
    people: int
    people_a_day: float
    days: float
    lists: int


class BegunAnswer(Body):
    """Whether anything is other than before, and what the experiment needs.

    Args:
        changed: Whether the experiment is new.
        size: For a difference of 5 % of the rate; null where too few lists were given to say.
    """

    changed: bool
    size: SizeAnswer | None


class ExperimentsAnswer(Body):
    """All experiments."""

    experiments: tuple[ExperimentBody, ...]


class ExperimentQuery(Body):
    """Which experiment."""

    name: Word


class ArmResult(Body):
    """What an arm has shown.

    Args:
        name: Of the arm.
        people: Who saw a list of it.
        lists: How many.
        hits: How many of them led to an event of a goal with an item of the list.
        rate: Hits per list.
        low: The end of its 95 % interval.
        high: The other end.
    """

    name: str
    people: int
    lists: int
    hits: int
    rate: float
    low: float
    high: float


class EffectAnswer(Body):
    """How far an arm is above the control, with the 95 % interval of the difference."""

    arm: str
    against: str
    difference: float
    low: float
    high: float
    p_value: float


class ResultAnswer(Body):
    """What an experiment has shown so far.

    Args:
        name: Of the experiment.
        running: Whether it goes on.
        arms: Each arm.
        effects: Each arm against the control.
        uneven_p_value: The probability of sharing people out at least as unevenly by chance.
        trusted: Whether that is no reason to doubt.
    """

    name: str
    running: StrictBool
    arms: tuple[ArmResult, ...]
    effects: tuple[EffectAnswer, ...]
    uneven_p_value: float
    trusted: StrictBool


class EstimateBody(Body):
    """Another way of filling the first place, judged by lists that were drawn at random.

    Args:
        version: Of the model; the active one if left out.
        objective: As in a request for a list.
        task: As there.
        behaviour: As there.
        explore: How it would draw; the best item comes first if left out.
        goals: Behaviours that count; any if left out.
        most: How many of the last lists that were drawn are looked at.
    """

    version: VersionNumber | None = None
    objective: Annotated[dict[Word, Number], Field(min_length=1, max_length=64)] | None = None
    task: Word | None = None
    behaviour: Word | None = None
    explore: Explore | None = None
    goals: Annotated[tuple[Word, ...], Field(max_length=255)] = ()
    most: Annotated[StrictInt, Field(ge=2, le=MOST_K)] = 500


class EstimateAnswer(Body):
    """How many first places would have led to something.

    Args:
        ips: The estimate by weights; unbiased.
        ips_error: Its standard error.
        snips: The estimate by weights divided by their sum; steadier.
        snips_error: Its standard error; null where no list agrees with the other way.
        logged: What the lists that were given led to.
        lists: How many of them were looked at.
        effective: How many draws of the other way they are worth: distrust few.
        largest_weight: The greatest weight of a list.
    """

    ips: float
    ips_error: float
    snips: float
    snips_error: float | None
    logged: float
    lists: int
    effective: float
    largest_weight: float
