"""Lists that are drawn at random: Plackett-Luce over the best candidates, with its probabilities.

Adding Gumbel noise to scores and taking the best in order draws from Plackett-Luce (Kool et al., 2019,
Stochastic Beams and Where to Find Them, section 2.2). Scores are divided by their standard deviation, so that
a temperature means the same for every model and task.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray


def drawn(
    scores_C: NDArray[np.floating], k: int, temperature: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places of the candidates in the order in which they were drawn, and their probabilities.

    Args:
        scores_C: Finite scores of the candidates.
        k: How many are drawn.
        temperature: In standard deviations of the scores.
        seed: Of the random numbers.

    Returns:
        For each place the index of a candidate, and the exact probability that it was drawn there, given
        those before it.
    """
    logits_C = _logits(scores_C, temperature)
    noise_C = np.random.default_rng(seed).gumbel(size=len(logits_C))
    order_C = np.argsort(-(logits_C + noise_C), kind="stable")
    drawn_C = logits_C[order_C]
    # Of all that were left when a place was filled, in logarithms: weights far below the best are not lost.
    left_C = np.logaddexp.accumulate(drawn_C[::-1])[::-1]
    return order_C[:k], np.exp(drawn_C - left_C)[:k]


def first(scores_C: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """The probability of each candidate to be drawn for the first place."""
    logits_C = _logits(scores_C, temperature)
    return np.asarray(np.exp(logits_C - np.logaddexp.reduce(logits_C)), np.float64)


def _logits(scores_C: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    logits_C = scores_C.astype(np.float64)
    scale = max(float(logits_C.std()), 1e-12) * temperature
    return np.asarray((logits_C - logits_C.mean()) / scale, np.float64)


def seed_of(name: str, secret: bytes) -> int:
    """The seed of an answer: the same for the same one, and nobody else's guess."""
    return int.from_bytes(hashlib.blake2b(name.encode(), key=secret, digest_size=8).digest(), "big")
