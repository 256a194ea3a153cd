"""Answers to targets other than items: a probability, a value, a behaviour; and what needs no model.

The reference answers stand in every table: the base rate, and the mean of the item where it has one.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.evaluate.results import CalibrationBin, ResponseRow
from intertask.evaluate.systems import ModelSystem
from intertask.metrics import responses
from intertask.metrics.direction import rising
from intertask.tasks.next_behaviour import NextBehaviour
from intertask.tasks.response import Config as ResponseConfig

SHRINKAGE = 10.0  # events of the base rate that are added to each item's mean


@dataclass(frozen=True)
class Answers:
    """What a system answered, and what was right.

    Args:
        form: Of the answers: a probability of yes, a value, or probabilities of behaviours.
        labels: float32 [n], or int64 codes of behaviours.
        predicted: float32 [n], or [n, behaviours].
    """

    form: str
    labels: NDArray[np.generic]
    predicted: NDArray[np.float32]

    def metrics(self) -> dict[str, float]:
        """The metrics of this form."""
        if self.form == "regression":
            return responses.regression(self.labels.astype(np.float64), self.predicted.astype(np.float64))
        if self.form == "binary":
            return responses.binary(self.labels.astype(np.float64), self.predicted.astype(np.float64))
        right = self.predicted.argmax(1) == self.labels
        return {"accuracy": float(right.mean()), "log_loss": float(-self.qualities().mean())}

    @property
    def quality(self) -> str:
        """What `qualities` are called."""
        return rising("squared_error" if self.form == "regression" else "log_loss")

    def qualities(self) -> NDArray[np.float64]:
        """How good each answer is: its log-likelihood, or its squared error negated, float64 [n]."""
        if self.form == "regression":
            return -((self.predicted.astype(np.float64) - self.labels.astype(np.float64)) ** 2)
        if self.form == "binary":
            yes = self.predicted.astype(np.float64)
            own = np.where(self.labels.astype(np.float64) > 0, yes, 1 - yes)
        else:
            codes = self.labels.astype(np.int64)
            own = self.predicted[np.arange(len(codes)), codes].astype(np.float64)
        likelihoods: NDArray[np.float64] = np.log(np.maximum(own, 1e-12))
        return likelihoods

    @property
    def classes(self) -> NDArray[np.generic] | None:
        """The right answers where they are one of a few, else None."""
        return None if self.form == "regression" else self.labels

    def row(self, system: str, task: str, too_few: str) -> ResponseRow:
        """The row of a table; `too_few` says why its metrics say little, where they do."""
        bins, quantiles = [], []
        if self.form == "binary":
            told = self.labels.astype(np.float64), self.predicted.astype(np.float64)
            bins, quantiles = (
                [CalibrationBin(predicted=b.predicted, observed=b.observed, count=b.count) for b in found]
                for found in (responses.calibration_bins(*told), responses.quantile_bins(*told))
            )
        return ResponseRow(
            system=system,
            task=task,
            count=len(self.labels),
            metrics=self.metrics(),
            calibration=bins,
            quantiles=quantiles,
            too_few=too_few,
        )


def model_answers(
    system: ModelSystem,
    name: str,
    sequences: Sequences,
    targets: NDArray[np.int64],
    rows: NDArray[np.int64],
    behaviours: tuple[str, ...],
) -> Answers:
    """The model's answers to the targets `rows` of its system.

    Args:
        system: The model, asked about all targets.
        name: The task.
        sequences: All events.
        targets: int64 [n], places of the target events that have an answer.
        rows: int64 [n], their rows among the system's targets.
        behaviours: Names of the behaviours.
    """
    model = system.model
    config, task = model.config.tasks[name], model.task(name)
    states_NTD = system.states_MTD[torch.from_numpy(rows)]
    with torch.no_grad():
        if isinstance(task, NextBehaviour):
            predicted = task.predict_behaviours(states_NTD[:, model.place(name)])
            return Answers("behaviours", np.asarray(sequences.behaviours[targets]), predicted.cpu().numpy())
        assert isinstance(config, ResponseConfig)
        items_N = torch.from_numpy(sequences.items[targets].astype(np.int64)).to(model.device)
        predicted = model.predict(name, states_NTD, items_N)
    return Answers(config.form, config.labels(sequences, behaviours)[targets], predicted.cpu().numpy())


def reference_answers(
    answers: Answers,
    config: object,
    training: Sequences,
    items: NDArray[np.int32],
    behaviours: tuple[str, ...],
) -> dict[str, Answers]:
    """What the base rate and the items' means answer to the same targets.

    Args:
        answers: The model's, for their labels.
        config: Of the task.
        training: The training events.
        items: int32 [n], the targets' items.
        behaviours: Names of the behaviours.
    """
    num = len(answers.labels)
    if not isinstance(config, ResponseConfig):
        events = np.bincount(training.behaviours, minlength=len(behaviours)) + 1.0
        share = np.tile((events / events.sum()).astype(np.float32), (num, 1))
        return {"base rate": Answers(answers.form, answers.labels, share)}
    labels = config.labels(training, behaviours)
    known = ~np.isnan(labels)
    rate = float(labels[known].mean())
    sums = np.bincount(training.items[known], labels[known], training.num_items)
    counts = np.bincount(training.items[known], minlength=training.num_items)
    means = ((sums + SHRINKAGE * rate) / (counts + SHRINKAGE)).astype(np.float32)
    return {
        "base rate": Answers(answers.form, answers.labels, np.full(num, rate, np.float32)),
        "item mean": Answers(answers.form, answers.labels, means[items]),
    }
