"""The few numbers that choose an epoch: cheap enough to be taken after each one."""

import numpy as np
from numpy.typing import NDArray

from intertask.answers.probability import Probability
from intertask.answers.temperature import level
from intertask.data.sequences import Sequences
from intertask.evaluate.choosing import ALL, Basis
from intertask.evaluate.config import HistoryMode
from intertask.evaluate.scoring import Answers
from intertask.evaluate.validation import over_tasks
from intertask.events.calibration import temperature
from intertask.events.ranking import visited
from intertask.events.responses import model_answers
from intertask.events.splits import Split
from intertask.events.systems import ModelSystem
from intertask.metrics.direction import all_rising, rising
from intertask.model import Model, ModelConfig, funnel
from intertask.options.seeds import generator
from intertask.tasks import TaskConfig


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
        self.split = split
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
            names += [f"{name}/{rising(metric)}" for metric in task.answer.metrics]
        return [*names, ALL] if len(config.tasks) > 1 and names else names

    def _rows(self, task: TaskConfig) -> NDArray[np.int64]:
        rows = task.asked(self.sequences, self.targets, self.behaviours)
        if task.answer.ranks and self.history == "masked":
            rows = rows[~self.seen[rows]]
        return rows

    def bases(self, config: ModelConfig) -> dict[str, Basis]:
        """What the metrics of each task are taken from, for tasks that have targets."""
        found = {}
        for name, task in config.tasks.items():
            rows = self._rows(task)
            if not len(rows):
                continue
            found[name] = Basis(len(rows), detached=task.detached)
            rarer = task.answer.rarer(task.truth(self.sequences, self.behaviours)[self.targets[rows]])
            if rarer is not None:
                found[name] = Basis(len(rows), *rarer, detached=task.detached)
        return found

    def calibration(self, model: Model, name: str) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
        """How well a task's targets of every other user are answered, and the users; None without targets.

        By qualities that move with every change of an answer: NDCG without a cut, for one.
        """
        config = model.config.tasks[name]
        rows = self._rows(config)
        users = self.sequences.users_of(self.targets[rows])
        rows, users = rows[users % 2 == 1], users[users % 2 == 1]
        if not len(rows):
            return None
        targets, asked = self.targets[rows], np.arange(len(rows))
        system = ModelSystem(model, self.sequences, targets)
        found = model_answers(system, name, self.sequences, targets, asked, self.behaviours, self.history)
        return config.answer.fine_qualities(found.truth, found.predicted), users

    def calibrate(self, model: Model) -> None:
        """Set the calibration of each task that answers with probabilities, where it has targets.

        The steps of a funnel come in their order.
        """
        system, tasks = ModelSystem(model, self.sequences, self.targets), model.config.tasks
        for name in funnel.in_order(tasks):
            config = tasks[name]
            rows = config.asked(self.sequences, self.targets, self.behaviours)
            if not len(rows) or not config.answer.probable:
                continue
            moves = isinstance(config.answer, Probability) and funnel.step_before(config) is None
            if moves:
                self._move(system, name, rows)
            found = temperature(system, name, self.sequences, self.targets, rows, self.behaviours)
            model.task(name).calibration.fill_(found)
            if moves:  # again, since logits that are nearer to zero have another mean
                self._move(system, name, rows)

    def _move(self, system: ModelSystem, name: str, rows: NDArray[np.int64]) -> None:
        """Say yes as often as the targets do."""
        told = model_answers(system, name, self.sequences, self.targets, rows, self.behaviours)
        task = system.model.task(name)
        task.shift(level(told.predicted.astype(np.float64), told.truth) * float(task.calibration))

    def frozen(self, model: Model) -> "FrozenModel":
        """The answers of a model of which nothing but heads changes from now on."""
        return FrozenModel(self, model)

    def answers(self, system: ModelSystem, name: str) -> Answers | None:
        """The model's answers for one task; None where it has no targets."""
        rows = self._rows(system.model.config.tasks[name])
        if not len(rows):
            return None
        return model_answers(system, name, self.sequences, self.targets, rows, self.behaviours, self.history)

    def __call__(self, model: Model) -> dict[str, float]:
        """The metrics."""
        system = ModelSystem(model, self.sequences, self.targets)
        metrics: dict[str, float] = {}
        for name in model.config.tasks:
            answers = self.answers(system, name)
            if answers is None:
                continue
            metrics |= {f"{name}/{metric}": value for metric, value in all_rising(answers.metrics()).items()}
        if len(model.config.tasks) > 1 and metrics:
            metrics[ALL] = over_tasks(metrics, model.config.tasks, self.bases(model.config))
        return metrics


class FrozenModel:
    """Reported metrics of the tasks of a model whose states are computed once, as its heads are.

    Args:
        validator: Whose targets are asked for.
        model: In evaluation mode.
    """

    def __init__(self, validator: Validator, model: Model) -> None:
        self.validator = validator
        self.system = ModelSystem(model, validator.sequences, validator.targets)

    def metric(self, task: str) -> float | None:
        """The reported metric of a task, higher is better; None where its targets define none."""
        answers = self.validator.answers(self.system, task)
        return None if answers is None else _reported(answers)

    def base(self, task: str) -> float | None:
        """That of the share or mean of the training events' labels, as the answer to every target."""
        answers, behaviours = self.validator.answers(self.system, task), self.validator.behaviours
        if answers is None or answers.answer.ranks:
            return None
        config = self.system.model.config.tasks[task]
        training = self.validator.split.training(self.validator.sequences)
        asked = config.asked(training, np.arange(training.num_events), behaviours)
        known = config.truth(training, behaviours)[asked]
        base = answers.answer.base_rate(known, answers.predicted)
        return _reported(Answers(answers.answer, answers.truth, base))


def _reported(answers: Answers) -> float | None:
    return all_rising(answers.metrics()).get(answers.answer.reported)
