"""Which metric chooses the epoch, and which one tells of all tasks."""

import math
from collections.abc import Mapping

from intertask.model import ModelConfig
from intertask.tasks import TaskConfig


def default_monitor(config: ModelConfig) -> str:
    """The metric that chooses the epoch where none is named: of the first task that is not detached."""
    name = config.attached()[0]
    return f"{name}/{config.tasks[name].answer.monitor}"


def reported(name: str, task: TaskConfig) -> str:
    """The metric by which a task is set against itself, and by which it counts among several."""
    return f"{name}/{task.answer.reported}"


def over_tasks(metrics: Mapping[str, float], tasks: Mapping[str, TaskConfig]) -> float:
    """The geometric mean over the tasks of NDCG@10, or of one over the log loss or root mean squared error.

    A change in percent counts the same for each task, however large its metric is. Detached tasks, and those
    without validation targets, are left out.
    """
    found = {name: metrics.get(reported(name, task)) for name, task in tasks.items() if not task.detached}
    logs = [math.log(tasks[name].answer.worth(value)) for name, value in found.items() if value is not None]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan
