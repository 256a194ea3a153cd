"""Which metric chooses the epoch, and which one tells of all tasks."""

import math
from collections.abc import Mapping

from intertask.evaluate.choosing import ALL, Basis
from intertask.model import ModelConfig
from intertask.tasks import TaskConfig


def default_monitor(config: ModelConfig) -> str:
    """The metric that chooses the epoch where none is named: that over all tasks which are not detached."""
    name, *others = config.attached()
    return ALL if others else f"{name}/{config.tasks[name].answer.monitor}"


def reported(name: str, task: TaskConfig) -> str:
    """The metric by which a task is set against itself, and by which it counts among several."""
    return f"{name}/{task.answer.reported}"


def over_tasks(
    metrics: Mapping[str, float], tasks: Mapping[str, TaskConfig], bases: Mapping[str, Basis]
) -> float:
    """The geometric mean over the tasks of NDCG@10, or of one over the log loss or root mean squared error.

    A change in percent counts the same for each task, however large its metric is; of a task with fewer
    targets than it takes to choose an epoch (`bases`) as much less as it has fewer, or its luck would choose.
    Detached tasks, and those without validation targets, are left out.
    """
    found = {name: metrics.get(reported(name, task)) for name, task in tasks.items() if not task.detached}
    logs = {
        name: math.log(tasks[name].answer.worth(value)) for name, value in found.items() if value is not None
    }
    weights = {name: bases[name].weight for name in logs}
    total = sum(weights.values())
    return math.exp(sum(weights[name] * logs[name] for name in logs) / total) if total else math.nan
