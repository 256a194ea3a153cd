"""What a model answers to rows."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.batches import plan
from intertask.data.seam import Batch
from intertask.model import Model
from intertask.samples.facts import Read
from intertask.tasks import Task
from intertask.tasks._places import PlaceTask
from intertask.tasks._rows import RowTask

PLACES = 1 << 16  # encoded at once
OF_SEQUENCES = 1 << 11  # where rows differ in length: few are padded, and what is deep stays in the cache


def answers(model: Model, read: Read, tasks: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """The answers of some tasks to rows, as their kinds of answer measure them.

    Args:
        model: In evaluation mode.
        read: What its inputs read of the rows, of one at least.
        tasks: Names.
    """
    lengths: NDArray[np.int64] = read.lengths_B.numpy()
    alike = int(lengths.min()) == int(lengths.max())
    together = plan(lengths, PLACES if alike else OF_SEQUENCES, None)
    order = np.argsort(np.concatenate(together), kind="stable")
    found: dict[str, list[NDArray[np.generic]]] = {name: [] for name in tasks}
    with torch.no_grad():
        for rows in together:
            states = model.read_of_rows(Batch(read.take(rows).fields, {}).to(model.device))
            for name in tasks:
                found[name].append(_answer(model.task(name), *states[name]))
    return {name: np.concatenate(parts)[order] for name, parts in found.items()}


def _answer(task: Task, *states: Tensor) -> NDArray[np.generic]:
    if isinstance(task, PlaceTask):
        return task.answer_of_places(*states)
    assert isinstance(task, RowTask)
    return task.answer(*states).cpu().numpy()
