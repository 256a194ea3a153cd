"""What another way of making lists would have led to, from lists that were drawn with known probabilities.

Source: Horvitz and Thompson, 1952 (IPS); Swaminathan and Joachims, 2015, The Self-Normalized Estimator for
Counterfactual Learning (SNIPS).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intertask.service.refusals import ConflictError


@dataclass(frozen=True)
class Estimate:
    """An estimated mean reward, with standard errors.

    Args:
        ips: By weights; unbiased.
        ips_error: Its standard error.
        snips: By weights that are divided by their sum; nearly unbiased, and steadier.
        snips_error: Its standard error.
        logged: The mean reward of what was done.
        rows: How many draws.
        effective: How many draws of the other way they are worth.
        largest: The greatest weight.
    """

    ips: float
    ips_error: float
    snips: float
    snips_error: float
    logged: float
    rows: int
    effective: float
    largest: float


def estimate(
    rewards_N: NDArray[np.floating], drawn_N: NDArray[np.floating], other_N: NDArray[np.floating]
) -> Estimate:
    """The mean reward of another policy.

    Args:
        rewards_N: What each draw led to.
        drawn_N: The probability with which it was drawn.
        other_N: The probability with which the other policy would have drawn the same.

    Raises:
        ConflictError: There are fewer than two draws, or one without chance: nothing can be learned from a
            list that could not have been another one.
    """
    if len(rewards_N) < 2 or (drawn_N <= 0).any() or (drawn_N >= 1).all():
        raise ConflictError(
            "estimate",
            "at least two lists that were drawn at random",
            "lists that could not have been others",
            "ask for lists with explore, and estimate from those",
        )
    weights_N = other_N / drawn_N
    gained_N = weights_N * rewards_N
    rows, total = len(rewards_N), float(weights_N.sum())
    snips, snips_error = 0.0, float("inf")
    if total > 0:
        snips = float(gained_N.sum()) / total
        snips_error = float(np.sqrt(((weights_N * (rewards_N - snips)) ** 2).sum())) / total
    squares = float((weights_N**2).sum())
    return Estimate(
        ips=float(gained_N.mean()),
        ips_error=float(gained_N.std(ddof=1) / np.sqrt(rows)),
        snips=snips,
        snips_error=snips_error,
        logged=float(rewards_N.mean()),
        rows=rows,
        effective=total**2 / squares if squares else 0.0,
        largest=float(weights_N.max()),
    )
