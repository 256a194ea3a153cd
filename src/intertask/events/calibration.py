"""One temperature a task, by which its probabilities fit what held-out users did.

Heads are trained one by one and are over- or underconfident each in its own way; before their
probabilities are mixed in one list they have to mean the same. Of a step of a funnel the probability under
the condition is calibrated, so that no step is likelier than the one before it.
"""

import numpy as np
from numpy.typing import NDArray

from intertask.answers.temperature import GRID, best
from intertask.data.sequences import Sequences
from intertask.events.responses import model_answers
from intertask.events.systems import ModelSystem
from intertask.model.funnel import step_before

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
    config = system.model.config.tasks[name]
    if config.answer.ranks:
        rows = rows[:: -(-len(rows) // max(LEAST, min(MOST, SCORES // sequences.num_items)))]
        items, losses = config.truth(sequences, behaviours)[targets[rows]], np.zeros(len(GRID))
        for start in range(0, len(rows), LEAST):
            part = slice(start, start + LEAST)
            losses += config.answer.losses(items[part], system.score(name, rows[part]).cpu().numpy())
        return best(losses)
    told = model_answers(system, name, sequences, targets, rows, behaviours)
    step, before = step_before(config), None
    if step is not None:
        given = model_answers(system, step, sequences, targets, rows, behaviours)
        before = given.predicted.astype(np.float64)
    return best(config.answer.losses(told.truth, told.predicted, before))
