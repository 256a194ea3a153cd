"""One temperature a task, by which its probabilities fit what held-out users did.

Heads are trained one by one and are over- or underconfident each in its own way; before their
probabilities are mixed in one list they have to mean the same. Source: Guo et al., "On Calibration of
Modern Neural Networks", ICML 2017.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.evaluate.systems import ModelSystem
from intertask.tasks.response import Config as ResponseConfig

GRID = np.geomspace(0.25, 4.0, 33)
SCORES = 2 * 10**7  # looked at for a head: 500 targets among 40,000 items
LEAST, MOST = 50, 2000  # targets


def temperature(
    system: ModelSystem, name: str, sequences: Sequences, targets: NDArray[np.int64], rows: NDArray[np.int64],
    behaviours: tuple[str, ...],
) -> float:  # fmt: skip
    """The temperature of a task under which held-out targets are most likely.

    Args:
        system: The model, asked about all targets.
        name: A task that ranks items, or a binary response.
        sequences: All events.
        targets: int64 [targets], places of the target events.
        rows: int64 [n], those that the task is asked about; one at least.
        behaviours: Names of the behaviours.
    """
    config = system.model.config.tasks[name]
    most = max(LEAST, min(MOST, SCORES // sequences.num_items)) if config.answer == "items" else len(rows)
    rows = rows[:: -(-len(rows) // most)]
    items = torch.from_numpy(sequences.items[targets[rows]].astype(np.int64))
    losses = np.zeros(len(GRID))
    if config.answer == "items":
        for start in range(0, len(rows), LEAST):
            part = slice(start, start + LEAST)
            scores_BI = system.score(name, rows[part]).cpu()
            own_B = scores_BI.gather(1, items[part, None])[:, 0]
            losses += [float((torch.logsumexp(scores_BI / t, 1) - own_B / t).sum()) for t in GRID.tolist()]
    else:
        assert isinstance(config, ResponseConfig)
        with torch.no_grad():
            yes = system.model.predict(
                name, system.states_MTD[torch.from_numpy(rows)], items.to(system.model.device)
            )
        logits = torch.logit(yes.cpu().double(), eps=1e-9)
        labels = torch.from_numpy(config.labels(sequences, behaviours)[targets[rows]]).double()
        losses += [
            float(torch.nn.functional.binary_cross_entropy_with_logits(logits / t, labels, reduction="sum"))
            for t in GRID.tolist()
        ]
    return float(GRID[losses.argmin()])
