"""What a probability's logits are divided by, and moved by, so that it fits what held-out people did.

Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017; the shift: Platt, "Probabilistic
Outputs for Support Vector Machines", 1999.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from intertask.answers import Array, Floats

GRID: Floats = np.geomspace(0.25, 4.0, 33)
LEAST = 1e-12  # no logarithm is of a smaller probability
EDGE = 1e-7  # nearer to 0 or 1 a probability has this much's logit


def best(losses: Floats) -> float:
    """The temperature of the grid with the least loss."""
    return float(GRID[losses.argmin()])


def softmax_losses(logits: NDArray[np.floating], right: Array) -> Floats:
    """Sum of the log losses under each temperature of the grid.

    Args:
        logits: [rows, classes]; of probabilities their logarithms.
        right: Codes of the right classes, [rows].
    """
    told = torch.from_numpy(logits)
    own = told.gather(1, torch.from_numpy(right.astype(np.int64))[:, None])[:, 0]
    return np.array([float((torch.logsumexp(told / t, 1) - own / t).sum()) for t in GRID.tolist()])


def binary_losses(predicted: Floats, right: Array, before: Floats) -> Floats:
    """Sum of the log losses of `before * sigmoid(logit(predicted) / t)` for each temperature t of the grid.

    Args:
        predicted: Probabilities of yes, of any shape.
        right: 1 for yes and 0 for no, of the same shape.
        before: What the probability is multiplied by.
    """
    logits = torch.logit(torch.from_numpy(predicted), eps=EDGE)
    yes, given = torch.from_numpy(right.astype(np.int64) > 0), torch.from_numpy(before)
    products = [(given * torch.sigmoid(logits / t)).clamp(LEAST, 1 - LEAST) for t in GRID.tolist()]
    return np.array([float(-torch.where(yes, p.log(), (1 - p).log()).sum()) for p in products])


def level(predicted: Floats, right: Array) -> float:
    """What is added to the logits of probabilities, so that as many say yes as do.

    People do not stay as they were: on MovieLens-100K 55 % of the ratings before a cut are likes and 49 % of
    those after it. Few answers move it little: its prior is a standard normal distribution.

    Args:
        predicted: Probabilities of yes, [rows].
        right: 1 for yes and 0 for no, [rows].
    """
    logits = torch.logit(torch.from_numpy(predicted.astype(np.float64)), eps=EDGE).numpy()
    yes, shift = float((right.astype(np.float64) > 0).sum()), 0.0
    for _ in range(50):  # Newton's steps of a convex loss of one number; from so near, ten are enough
        told = 1 / (1 + np.exp(-(logits + shift)))
        step = (float(told.sum()) - yes + shift) / (float((told * (1 - told)).sum()) + 1)
        shift -= float(np.clip(step, -1, 1))
    return shift
