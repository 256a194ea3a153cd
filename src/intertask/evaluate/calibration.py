"""One temperature a task, by which its probabilities fit what held-out users did.

Heads are trained one by one and are over- or underconfident each in its own way; before their
probabilities are mixed in one list they have to mean the same. Of a step of a funnel the probability under
the condition is calibrated, so that no step is likelier than the one before it. Source: Guo et al., "On
Calibration of Modern Neural Networks", ICML 2017.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.sequences import Sequences
from intertask.evaluate.responses import model_answers
from intertask.evaluate.systems import ModelSystem
from intertask.funnel import step_before
from intertask.tasks.next_behaviour import NextBehaviour

GRID = np.geomspace(0.25, 4.0, 33)
SCORES = 2 * 10**7  # looked at for a head: 500 targets among 40,000 items
LEAST, MOST = 50, 2000  # targets


def temperature(
    system: ModelSystem,
    name: str,
    sequences: Sequences,
    targets: NDArray[np.int64],
    rows: NDArray[np.int64],
    behaviours: tuple[str, ...],
) -> float:
    """The temperature of a task under which held-out targets are most likely.

    Args:
        system: The model, asked about all targets.
        name: A task with a probability: any but a regression. Its calibration is 1; the steps of a funnel
            before it have theirs.
        sequences: All events.
        targets: int64 [targets], places of the target events.
        rows: int64 [n], those that the task is asked about; one at least.
        behaviours: Names of the behaviours.
    """
    config, task = system.model.config.tasks[name], system.model.task(name)
    most = max(LEAST, min(MOST, SCORES // sequences.num_items)) if config.answer == "items" else len(rows)
    rows = rows[:: -(-len(rows) // most)]
    losses = np.zeros(len(GRID))
    if config.answer == "items":
        items = torch.from_numpy(sequences.items[targets[rows]].astype(np.int64))
        for start in range(0, len(rows), LEAST):
            part = slice(start, start + LEAST)
            losses += _losses(system.score(name, rows[part]).cpu(), items[part])
        return float(GRID[losses.argmin()])
    answers = model_answers(system, name, sequences, targets[rows], rows, behaviours)
    predicted = torch.from_numpy(answers.predicted).double()
    labels = torch.from_numpy(answers.labels.astype(np.int64))
    if isinstance(task, NextBehaviour):
        losses += _losses(predicted.clamp(min=1e-12).log(), labels)
    else:
        before, step = torch.ones_like(predicted), step_before(config)
        if step is not None:
            told = model_answers(system, step, sequences, targets[rows], rows, behaviours).predicted
            before = torch.from_numpy(told).double().clamp(min=1e-30)
        losses += _losses_of_yes(torch.logit(predicted / before, eps=1e-7), before, labels)
    return float(GRID[losses.argmin()])


def _losses(logits_BC: Tensor, right_B: Tensor) -> NDArray[np.float64]:
    """Sum of the log losses under each temperature of the grid."""
    own_B = logits_BC.gather(1, right_B[:, None])[:, 0]
    return np.array([float((torch.logsumexp(logits_BC / t, 1) - own_B / t).sum()) for t in GRID.tolist()])


def _losses_of_yes(logits_B: Tensor, before_B: Tensor, yes_B: Tensor) -> NDArray[np.float64]:
    """The same of the product of a step's probability and of those before it, [B] each."""
    products = [(before_B * torch.sigmoid(logits_B / t)).clamp(1e-12, 1 - 1e-12) for t in GRID.tolist()]
    return np.array([float(-torch.where(yes_B > 0, p.log(), (1 - p).log()).sum()) for p in products])
