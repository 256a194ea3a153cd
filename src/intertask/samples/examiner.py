"""The validation rows, of one recipe's tasks."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from intertask.answers.temperature import best
from intertask.data.rows import Rows
from intertask.evaluate.choosing import ALL, Basis
from intertask.evaluate.examiner import Qualities
from intertask.evaluate.protocol import RowsProtocol
from intertask.evaluate.validation import over_tasks
from intertask.metrics.direction import all_rising, rising
from intertask.model import Model, ModelConfig
from intertask.options.seeds import generator
from intertask.samples.answering import answers
from intertask.samples.facts import Facts, row_task
from intertask.samples.units import units
from intertask.tasks._rows import known


class RowExaminer:
    """Asks a model for the validation rows.

    Args:
        config: Of the model.
        facts: Of the rows that train.
        validation: The rows that validate.
        limit: At most so many of them, the same for all runs.
        data: Digest of all rows.
        split: In words.
    """

    def __init__(
        self,
        config: ModelConfig,
        facts: Facts,
        validation: Rows,
        limit: int,
        data: str = "",
        split: str = "",
    ) -> None:
        self.config, self.data, self.split = config, data, split
        if len(validation) > limit:
            drawn = generator(0, "validation").choice(len(validation), limit, replace=False)
            validation = validation.take(np.sort(drawn))
        self.fields, self.units = facts.read(validation), units(validation)[0]
        self.answer = {
            name: row_task(t).known_answer(facts.answers[name]) for name, t in config.tasks.items()
        }
        self.truth: dict[str, NDArray[np.generic]] = {}
        self.places: dict[str, NDArray[np.int64]] = {}
        for name, task in config.tasks.items():
            own = row_task(task)
            self.answer[name] = own.known_answer(facts.answers[name])
            labels = own.labels(name, validation, facts.answers[name])
            self.places[name] = np.flatnonzero(known(labels))
            self.truth[name] = labels[self.places[name]]

    def names(self) -> list[str]:
        """The names of the metrics that the validation rows define."""
        found = []
        for name in self._asked:
            answer, truth = self.answer[name], self.truth[name]
            defined = answer.measure(truth, answer.guess(truth))
            found += [f"{name}/{rising(metric)}" for metric in self.answer[name].metrics if metric in defined]
        return [*found, ALL] if len(self.config.tasks) > 1 and found else found

    def monitor(self, task: str) -> str:
        """AUC where there are two classes, and rows of both; the metric that a task reports otherwise."""
        chosen, answer = f"{task}/{self.answer[task].monitor}", self.answer[task]
        return chosen if chosen in self.names() else f"{task}/{answer.reported}"

    @property
    def _asked(self) -> list[str]:
        return [name for name, truth in self.truth.items() if len(truth)]

    def bases(self) -> Mapping[str, Basis]:
        """What the metrics of each task are taken from, for tasks that have rows."""
        found = {}
        for name in self._asked:
            rare = self.answer[name].rarer(self.truth[name])
            detached = self.config.tasks[name].detached
            count, word = (None, "positive") if rare is None else rare
            found[name] = Basis(len(self.truth[name]), count, word, detached)
        return found

    def advice(self, task: str) -> str:
        """A task has no row where none of the validation part has its label."""
        return "label some rows of the validation part; "

    def protocol(self, model: Model) -> RowsProtocol:
        """How the metrics of a model are measured."""
        return RowsProtocol(data=self.data, split=self.split, part="validation", num_targets=len(self.units))

    def __call__(self, model: Model) -> dict[str, float]:
        """The metrics of the model as it is."""
        told = answers(model, self.fields, self._asked)
        metrics: dict[str, float] = {}
        for name in self._asked:
            found = self.answer[name].measure(self.truth[name], told[name][self.places[name]])
            metrics |= {f"{name}/{metric}": value for metric, value in all_rising(found).items()}
        if len(self.config.tasks) > 1 and metrics:
            metrics[ALL] = over_tasks(metrics, self.config.tasks, self.bases())
        return metrics

    def frozen(self, model: Model) -> "FrozenRows":
        """The reported metrics of a model of which nothing but heads changes from now on."""
        return FrozenRows(self, model)

    def reported(self, model: Model, task: str) -> float | None:
        """The reported metric of a task; None where the rows define none."""
        if task not in self._asked:
            return None
        told = answers(model, self.fields, [task])[task][self.places[task]]
        return all_rising(self.answer[task].measure(self.truth[task], told)).get(self.answer[task].reported)

    def calibration(self, model: Model, task: str) -> Qualities | None:
        """How well the rows of every other unit are answered, and the units."""
        places = self.places[task]
        odd = self.units[places] % 2 == 1
        if not odd.any():
            return None
        told = answers(model, self.fields.take(places[odd]), [task])[task]
        return self.answer[task].fine_qualities(self.truth[task][odd], told), self.units[places][odd]

    def calibrate(self, model: Model) -> None:
        """Set what the logits of each task's probabilities are divided by."""
        tasks = [name for name in self._asked if self.answer[name].probable]
        told = answers(model, self.fields, tasks)
        for name in tasks:
            losses = self.answer[name].losses(self.truth[name], told[name][self.places[name]])
            model.task(name).calibration.fill_(best(losses))


class FrozenRows:
    """A model of which nothing but heads changes, before the validation rows.

    Args:
        examiner: Knows the rows.
        model: In evaluation mode.
    """

    def __init__(self, examiner: RowExaminer, model: Model) -> None:
        self.examiner, self.model = examiner, model

    def metric(self, task: str) -> float | None:
        """The reported metric of a task with its head as it is."""
        return self.examiner.reported(self.model, task)

    def base(self, task: str) -> float | None:
        """Nobody knows: the rows that train are not here."""
        return None
