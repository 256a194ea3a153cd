"""What a ranker is measured as: with the model, without it, and each of its sources alone."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.sequences import Sequences
from intertask.data.windows import cut_out, histories_before
from intertask.evaluate.config import MODEL, WITHOUT, HistoryMode
from intertask.evaluate.results import DifferenceRow, Finding
from intertask.events.systems import ModelSystem
from intertask.metrics.direction import MAIN_METRIC
from intertask.rankers import Mixer
from intertask.ranking import Key, Ranker
from intertask.signals import Signal, dense


class RankedSystem:
    """The mixture, which depends on whether items of the history are candidates.

    Args:
        name: As it stands in the tables.
        model: Whose scores are mixed.
        ranker: Its signals.
        mixers: Of this ranker, those with or those without the model.
        sequences: All events.
        targets: int64 [targets], places of the target events.
    """

    def __init__(
        self,
        name: str,
        model: ModelSystem,
        ranker: Ranker,
        mixers: Mapping[Key, Mixer],
        sequences: Sequences,
        targets: NDArray[np.int64],
    ) -> None:
        self.name, self.model, self.ranker, self.mixers = name, model, ranker, mixers
        self.sequences, self.windows = sequences, histories_before(sequences, targets)
        self.history: HistoryMode = "masked"

    def under(self, history: HistoryMode) -> "RankedSystem":
        """The same, asked in this way from now on."""
        self.history = history
        return self

    def score(self, task: str, rows: NDArray[np.int64]) -> Tensor:
        """The mixed scores, or those of the model where the task has no mixer."""
        mixer = self.mixers.get((task, self.history))
        if mixer is None:
            return self.model.score(task, rows)
        logits = {name: self.model.score(name, rows).cpu().numpy() for name in self.ranker.reads(mixer)}
        histories = cut_out(self.sequences, self.windows[rows])
        said = self.ranker.say(mixer, histories, logits)
        return torch.from_numpy(mixer.total(said, histories.lengths))


class SignalSystem:
    """One source alone, by what it tells the ranker."""

    def __init__(self, name: str, signal: Signal, sequences: Sequences, targets: NDArray[np.int64]) -> None:
        self.name, self.signal, self.sequences = name, signal, sequences
        self.windows = histories_before(sequences, targets)

    def score(self, task: str, rows: NDArray[np.int64]) -> Tensor:
        """What the source says, which knows of no tasks."""
        histories = cut_out(self.sequences, self.windows[rows])
        return torch.from_numpy(dense(self.signal.say(histories), len(rows)))


def adding_nothing(differences: list[DifferenceRow]) -> Iterator[Finding]:
    """A finding for each task in which the mixture is not better than one without the model."""
    for row in differences:
        if row.baseline != WITHOUT or row.metric != MAIN_METRIC or row.verdict == "better" or row.too_few:
            continue
        gain, low, high = row.difference, row.interval.low, row.interval.high
        yield Finding(
            name="model_adds_nothing",
            severity="warning",
            text=f"Task {row.task}, history {row.history}: the model adds nothing beyond the sources that "
            f"count: {row.metric} {gain:+.4f} ({low:+.4f} to {high:+.4f}) of {MODEL} against {WITHOUT}.",
            advice="Train it longer or with more data, or serve what counts.",
        )
