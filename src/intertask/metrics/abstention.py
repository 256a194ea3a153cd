"""What is wrong among the answers that are kept where the least certain ones are not given.

Source: El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 11, 2010: risk
against coverage.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Kept:
    """The most certain answers.

    Args:
        coverage: Their share of all.
        risk: The share of them that is wrong.
        at_least: The probability from which on they are given.
    """

    coverage: float
    risk: float
    at_least: float


def risk_by_coverage(certain: NDArray[np.float64], right: NDArray[np.bool_]) -> list[Kept]:
    """The risk of the most certain answers, as many as each of a few shares says; ties are kept together.

    Args:
        certain: Probability of each answer.
        right: Whether it is right.
    """
    if not len(certain):
        return []
    order = np.argsort(-certain, kind="stable")
    falling, wrong = certain[order], np.cumsum(~right[order])
    found: list[Kept] = []
    for share in SHARES:
        least = falling[max(1, round(share * len(certain))) - 1]
        count = int(np.searchsorted(-falling, -least, side="right"))
        found.append(Kept(count / len(certain), float(wrong[count - 1] / count), float(least)))
    return list(dict.fromkeys(found))
