"""What an experiment shows: shares of lists that led to something, by arm, and their differences.

People are what is drawn, and one person sees many lists: the variance of a share is that of a ratio of two
means over people (delta method; Deng et al., 2018, Applying the Delta Method in Metric Analytics, 3.1). What
a person says is set against the rate of the others (HC3; MacKinnon and White, 1985): with few people, of whom
some see many lists, the rate leans to these, and their distance from it would look too small.
"""

from dataclasses import dataclass

import numpy as np
import scipy.special
from numpy.typing import NDArray

LEVEL = 0.95
MISMATCH = 0.001  # below it people are not shared out as they should be: the experiment is not to be trusted


@dataclass(frozen=True)
class Share:
    """A share of lists.

    Args:
        people: Who saw one at least.
        lists: How many they saw.
        hits: How many of these led to something.
        rate: Hits per list.
        error: The standard error of the rate; infinite where one person alone says something.
    """

    people: int
    lists: int
    hits: int
    rate: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """Where the rate lies with a probability of 95 %."""
        half = _quantile(self.people - 1) * self.error
        return max(0.0, self.rate - half), min(1.0, self.rate + half)


@dataclass(frozen=True)
class Effect:
    """How far the rate of an arm is above that of the control.

    Args:
        difference: Of the rates.
        low: The end of its 95 % interval.
        high: The other end.
        p_value: Of no difference, on both sides.
    """

    difference: float
    low: float
    high: float
    p_value: float


def share(lists_P: NDArray[np.integer], hits_P: NDArray[np.integer]) -> Share:
    """The share of an arm, by how many lists each person saw and how many of them led to something."""
    people, lists, hits = len(lists_P), int(lists_P.sum()), int(hits_P.sum())
    rate = hits / lists if lists else 0.0
    error = float("inf")
    if people > 1:
        alone_P = (hits_P - rate * lists_P) / (1 - lists_P / lists)
        error = float(np.sqrt((alone_P**2).sum()) / lists)
    return Share(people, lists, hits, rate, error)


def effect(control: Share, arm: Share) -> Effect:
    """The difference of two arms, by Welch's test."""
    difference = arm.rate - control.rate
    variances = [control.error**2, arm.error**2]
    error = float(np.sqrt(sum(variances)))
    if not np.isfinite(error):
        return Effect(difference, -1.0, 1.0, 1.0)
    if error == 0:
        return Effect(difference, difference, difference, 0.0 if difference else 1.0)
    freedom = sum(variances) ** 2 / sum(
        one**2 / (side.people - 1) for one, side in zip(variances, (control, arm), strict=True)
    )
    half = _quantile(freedom) * error
    p_value = 2 * float(scipy.special.stdtr(freedom, -abs(difference) / error))
    return Effect(difference, difference - half, difference + half, p_value)


def mismatch(people: list[int], weights: list[float]) -> float:
    """The probability of sharing people out at least as unevenly by chance."""
    total = sum(people)
    if not total:
        return 1.0
    expected = np.array(weights) / sum(weights) * total
    distance = float(((np.array(people) - expected) ** 2 / expected).sum())
    return float(scipy.special.chdtrc(len(people) - 1, distance))


def _quantile(freedom: float) -> float:
    return float(scipy.special.stdtrit(max(freedom, 1), (1 + LEVEL) / 2))
