"""Weights of a log-linear mixture by maximum likelihood, drawn towards a single source.

The probability of a candidate is the softmax of its weighted sum. Each group of histories has weights of its
own, drawn towards the mean of all groups, which is drawn towards the prior. Convex, with one minimum.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEPS = 80


@dataclass(frozen=True)
class Problem:
    """What weights are learned from.

    Args:
        said_NCK: float32, in units in which each column varies as much.
        mask_NC: Which candidates there are.
        target_N: Place of what happened among the candidates.
        group_N: The group of each history.
        num_groups: How many groups there are.
    """

    said_NCK: NDArray[np.float32]
    mask_NC: NDArray[np.bool_]
    target_N: NDArray[np.int64]
    group_N: NDArray[np.int64]
    num_groups: int

    def sums(self, weights_GK: Floats) -> NDArray[np.float32]:
        """The weighted sum of each candidate, -inf where there is none, [N, C]."""
        own_NK1 = weights_GK[self.group_N].astype(np.float32)[:, :, None]
        sums_NC = (self.said_NCK @ own_NK1)[..., 0]  # [N, C, K] x [N, K, 1] -> [N, C]
        return np.where(self.mask_NC, sums_NC, np.float32(-np.inf))

    def log_shares(self, weights_GK: Floats) -> Floats:
        """Log-probability of what happened, [N]."""
        sums_NC = self.sums(weights_GK)
        top_N1 = sums_NC.max(1, keepdims=True)
        log_N = np.log(np.exp(sums_NC - top_N1).sum(1))
        own_N = sums_NC[np.arange(len(sums_NC)), self.target_N]
        return np.asarray(own_N - top_N1[:, 0] - log_N, np.float64)

    def gradient(self, weights_GK: Floats) -> tuple[float, Floats]:
        """The summed log-probability, and what it gains by each weight."""
        sums_NC = self.sums(weights_GK)
        rows = np.arange(len(sums_NC))
        top_N1 = sums_NC.max(1, keepdims=True)
        shares_NC = np.exp(sums_NC - top_N1)
        whole_N = shares_NC.sum(1)
        value = (sums_NC[rows, self.target_N] - top_N1[:, 0] - np.log(whole_N)).sum(dtype=np.float64)
        shares_NC /= whole_N[:, None]
        expected_NK = (shares_NC[:, None, :] @ self.said_NCK)[:, 0]  # [N, 1, C] x [N, C, K] -> [N, K]
        gains_NK = self.said_NCK[rows, self.target_N] - expected_NK
        gains_GK = np.zeros(weights_GK.shape)
        np.add.at(gains_GK, self.group_N, gains_NK)
        return float(value), gains_GK


def weights(problem: Problem, prior_K: Floats, strength: float) -> Floats:
    """The weights, none below zero, [groups, K].

    Args:
        problem: What they are learned from.
        prior_K: What the mean of the groups is drawn to.
        strength: How many events a deviation of 1 weighs, from the mean or from the prior.
    """
    from scipy.optimize import minimize  # takes half a second to import, and few runs have a ranker

    num, size = problem.num_groups, len(prior_K)

    def loss(flat: Floats) -> tuple[float, Floats]:
        mean_K, own_GK = flat[:size], flat[size:].reshape(num, size)
        value, gains_GK = problem.gradient(own_GK)
        apart_GK, off_K = own_GK - mean_K, mean_K - prior_K
        total = -value + strength / 2 * (np.square(off_K).sum() + np.square(apart_GK).sum())
        slope = (strength * (off_K - apart_GK.sum(0)), strength * apart_GK - gains_GK)
        count = max(1, len(problem.target_N))
        return total / count, np.concatenate([slope[0], slope[1].ravel()]) / count

    found = minimize(
        loss,
        np.tile(prior_K, num + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * (size * (num + 1)),
        options={"maxiter": _STEPS},
    )
    return np.asarray(found.x[size:].reshape(num, size))
