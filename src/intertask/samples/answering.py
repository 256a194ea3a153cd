"""What a model answers to rows."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from intertask.data.seam import Batch
from intertask.model import Model
from intertask.samples.facts import Read
from intertask.tasks._rows import RowTask

PLACES = 1 << 16  # encoded at once


def answers(model: Model, read: Read, tasks: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """The answers of some tasks to rows, as their kinds of answer measure them.

    Args:
        model: In evaluation mode.
        read: What its inputs read of the rows, of one at least.
        tasks: Names.
    """
    lengths = read.lengths_B
    count, step = len(lengths), max(1, PLACES // int(lengths.max()))
    found: dict[str, list[NDArray[np.generic]]] = {name: [] for name in tasks}
    with torch.no_grad():
        for start in range(0, count, step):
            rows = np.arange(start, min(count, start + step))
            states = model.row_states(Batch(read.take(rows).fields, {}).to(model.device))
            for name in tasks:
                task = model.task(name)
                assert isinstance(task, RowTask)
                found[name].append(task.answer(states[name]).cpu().numpy())
    return {name: np.concatenate(parts) for name, parts in found.items()}
