"""The few numbers that choose an epoch: cheap enough to be taken after each one."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from intertask import funnel
from intertask.data.sequences import Sequences
from intertask.data.splits import Split
from intertask.evaluate.calibration import temperature
from intertask.evaluate.choosing import ALL, Basis
from intertask.evaluate.config import HistoryMode
from intertask.evaluate.ranking import rank_targets, visited
from intertask.evaluate.responses import model_answers
from intertask.evaluate.systems import ModelSystem
from intertask.metrics import ranking
from intertask.metrics.direction import MAIN_METRIC, K, all_rising, rising
from intertask.model import Model, ModelConfig
from intertask.seeds import generator
from intertask.tasks import TaskConfig
from intertask.tasks.response import Config as ResponseConfig

SMALLEST = 1e-6  # an NDCG of zero has no logarithm


def default_monitor(config: ModelConfig) -> str:
    """The metric that chooses the epoch where the recipe names none: that of its first task."""
    name, task = next(iter(config.tasks.items()))
    binary = isinstance(task, ResponseConfig) and task.form == "binary"
    return f"{name}/auc" if binary else reported(name, task)


def reported(name: str, task: TaskConfig) -> str:
    """The metric by which a task is set against itself, and by which it counts among several."""
    if task.answer == "items":
        return f"{name}/{MAIN_METRIC}"
    return f"{name}/{rising('rmse' if getattr(task, 'form', '') == 'regression' else 'log_loss')}"


def over_tasks(metrics: Mapping[str, float], tasks: Mapping[str, TaskConfig]) -> float:
    """The geometric mean over the tasks of NDCG@10, or of one over the log loss or root mean squared error.

    A change in percent counts the same for each task, however large its metric is. Tasks without
    validation targets are left out.
    """
    logs = []
    for name, task in tasks.items():
        value = metrics.get(reported(name, task))
        if value is not None and task.answer != "items":
            value = 1 / max(SMALLEST, -value)
        if value is not None:
            logs.append(math.log(max(SMALLEST, value)))
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


class Validator:
    """Validation metrics of a model, by "task/metric"; higher is better for each, losses are negated.

    Where there are several tasks, "all" is a metric over them (`over_tasks`).

    Args:
        sequences: All events.
        split: Its validation targets are asked for.
        behaviours: Names of the behaviours.
        history: Whether items of the history are candidates.
        limit: At most so many targets, the same for all runs; the candidates are all items, always.
    """

    def __init__(
        self,
        sequences: Sequences,
        split: Split,
        behaviours: tuple[str, ...],
        history: HistoryMode,
        limit: int,
    ) -> None:
        self.sequences = sequences
        self.targets = split.validation
        if len(self.targets) > limit:
            drawn = generator(0, "validation").choice(len(self.targets), limit, replace=False)
            self.targets = self.targets[np.sort(drawn)]
        self.behaviours = behaviours
        self.history = history
        self.seen = visited(sequences, self.targets)

    def names(self, config: ModelConfig) -> list[str]:
        """The names of the metrics that the tasks will have, without asking a model."""
        names = []
        for name, task in config.tasks.items():
            if not len(self._rows(task)):
                continue
            if task.answer == "items":
                metrics = (MAIN_METRIC, f"hr@{K}")
            elif isinstance(task, ResponseConfig):
                metrics = ("rmse", "mae") if task.form == "regression" else ("auc", "log_loss")
            else:
                metrics = ("accuracy", "log_loss")
            names += [f"{name}/{rising(metric)}" for metric in metrics]
        return [*names, ALL] if len(config.tasks) > 1 and names else names

    def _rows(self, task: TaskConfig) -> NDArray[np.int64]:
        rows = task.asked(self.sequences, self.targets, self.behaviours)
        if task.answer == "items" and self.history == "masked":
            rows = rows[~self.seen[rows]]
        return rows

    def bases(self, config: ModelConfig) -> dict[str, Basis]:
        """What the metrics of each task are taken from, for tasks that have targets."""
        found = {}
        for name, task in config.tasks.items():
            rows = self._rows(task)
            if not len(rows):
                continue
            found[name] = Basis(len(rows))
            if isinstance(task, ResponseConfig) and task.form == "binary":
                labels = task.labels(self.sequences, self.behaviours)[self.targets[rows]]
                yes = int((labels == 1).sum())
                no = len(rows) - yes
                found[name] = Basis(len(rows), min(yes, no), "positive" if yes <= no else "negative")
        return found

    def calibration(self, model: Model, name: str) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
        """How well a task's targets of every other user are answered, and the users; None without targets.

        NDCG without a cut for items, which moves with every rank; log-likelihood for a binary response and
        for behaviours, squared error negated for a value.
        """
        config = model.config.tasks[name]
        rows = self._rows(config)
        users = self.sequences.users_of(self.targets[rows])
        rows, users = rows[users % 2 == 1], users[users % 2 == 1]
        if not len(rows):
            return None
        targets, asked = self.targets[rows], np.arange(len(rows))
        system = ModelSystem(model, self.sequences, targets)
        if config.answer == "items":
            found = rank_targets(system, name, self.sequences, targets, asked, self.history, K)
            return ranking.ndcg(found.ranks, self.sequences.num_items), users
        return model_answers(system, name, self.sequences, targets, asked, self.behaviours).qualities(), users

    def calibrate(self, model: Model) -> None:
        """Set the calibration of each task that answers with probabilities, where it has targets.

        The steps of a funnel come in their order.
        """
        system, tasks = ModelSystem(model, self.sequences, self.targets), model.config.tasks
        for name in funnel.in_order(tasks):
            config = tasks[name]
            rows = config.asked(self.sequences, self.targets, self.behaviours)
            if len(rows) and getattr(config, "form", "") != "regression":
                found = temperature(system, name, self.sequences, self.targets, rows, self.behaviours)
                model.task(name).calibration.fill_(found)

    def __call__(self, model: Model) -> dict[str, float]:
        """The metrics."""
        system = ModelSystem(model, self.sequences, self.targets)
        metrics: dict[str, float] = {}
        for name, task in model.config.tasks.items():
            rows = self._rows(task)
            if not len(rows):
                continue
            if task.answer == "items":
                found = rank_targets(system, name, self.sequences, self.targets, rows, self.history, K)
                metrics[f"{name}/{MAIN_METRIC}"] = float(ranking.ndcg(found.ranks, K).mean())
                metrics[f"{name}/hr@{K}"] = float(ranking.hit_rate(found.ranks, K).mean())
                continue
            answers = model_answers(system, name, self.sequences, self.targets[rows], rows, self.behaviours)
            metrics |= {f"{name}/{metric}": value for metric, value in all_rising(answers.metrics()).items()}
        if len(model.config.tasks) > 1 and metrics:
            metrics[ALL] = over_tasks(metrics, model.config.tasks)
        return metrics
