"""How many people an experiment needs, predicted when it is made from the lists of the last days."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.special

from intertask.service import answers, effects, events
from intertask.service.database import Reading
from intertask.service.effects import LEVEL
from intertask.service.events import DAY, StoredEvent
from intertask.service.schema import now

POWER = 0.8  # the probability of seeing a difference that is there
DAYS, LOOKED_AT = 28, 20_000  # the last lists of so many days
LEAST_PEOPLE = 20


@dataclass(frozen=True)
class Size:
    """What an experiment needs.

    Args:
        rate: Hits per list, of the last lists.
        people: That see a list in the experiment, all arms together.
        people_a_day: Who saw one, of the last days.
        days: That it takes at that rate.
        lists: That this was learned from.
    """

    rate: float
    people: int
    people_a_day: float
    days: float
    lists: int


def hit(led: Sequence[StoredEvent], goals: Sequence[str], items: Sequence[str]) -> bool:
    """Whether a list led to an event of a goal with one of its items."""
    return any(event.item in items and (not goals or event.behaviour in goals) for event in led)


def needed(variance: float, difference: float, weights: Sequence[float]) -> int:
    """How many people show a difference between the first arm and each other one with a probability of 80 %.

    Args:
        variance: Of what one person says of the rate.
        difference: Of two rates.
        weights: Shares of the arms.

    Source:
        The sample size of a two-sided test of two means: Kohavi, Tang and Xu, 2020, Trustworthy Online
        Controlled Experiments, chapter 17.
    """
    distance = float(scipy.special.ndtri((1 + LEVEL) / 2) + scipy.special.ndtri(POWER))
    parts = np.array(weights) / sum(weights)
    return int(np.ceil((distance / difference) ** 2 * variance * (1 / parts[0] + 1 / parts[1:].min())))


def size(
    store: Reading,
    tenant: int,
    goals: Sequence[str],
    scenario: str | None,
    weights: Sequence[float],
    share: float,
    detect: float,
) -> Size | None:
    """What an experiment needs; None where too few lists were given to say.

    Args:
        store: With the lists.
        tenant: Whose.
        goals: Behaviours that a list is to lead to; any where none is named.
        scenario: Of the lists; all where it is None.
        weights: Of the arms.
        share: Of the people that take part.
        detect: The difference that is to be seen, as a part of the rate.
    """
    found = answers.newest(store, tenant, now() - DAYS * DAY, LOOKED_AT)
    given = [one for one in found if scenario in (None, one.scenario)]
    led = events.led_to(store, tenant, [one.recommendation for one in given])
    people: dict[str, list[int]] = {}
    for one in given:
        if one.person is not None:
            counted = people.setdefault(one.person, [0, 0])
            counted[0] += 1
            counted[1] += hit(led[one.recommendation], goals, one.items)
    table = np.array(list(people.values()), np.int64).reshape(-1, 2)
    whole = effects.share(table[:, 0], table[:, 1])
    if whole.people < LEAST_PEOPLE or not whole.hits or not whole.error:
        return None
    variance = whole.error**2 * whole.people
    moments = [one.moment for one in given]
    days = max((max(moments) - min(moments)) / DAY, 1 / 24)
    people_a_day = whole.people / days
    total = needed(variance, detect * whole.rate, weights)
    return Size(whole.rate, total, people_a_day, total / (share * people_a_day), whole.lists)
