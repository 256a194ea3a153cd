"""What the adapters share: the command line of a child process, the meter of its training, its course.

Runs in the environment of every peer, so it knows numpy and the standard library alone.
"""

import argparse
import json
import math
import platform
import resource
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, Protocol

from exported import Exported

from ranking import Score, evaluate

WIDTH, LAYERS, HEADS = 64, 2, 2  # the equal model
SEQUENCES = 128  # in a batch of RecTools, whose default it is, and of RePlay, which has none
ENDLESS = 100_000  # epochs, where patience or the clock ends training

Stage = Literal["train", "evaluate", "quality"]
Found = dict[str, object]  # what a stage writes as JSON


@dataclass(frozen=True)
class Options:
    """Options of a child process.

    Args:
        data: Folder of the exported data.
        dataset: Its name.
        folder: For the weights that `train` leaves to `evaluate`, and for scratch.
        variant: Of the peer.
        epochs: Measured epochs, at most.
        seconds: Measured seconds, at most; 0 for whole epochs.
        warm_up: Batches before the measurement.
        threads: Of PyTorch, or of the library.
        patience: Validations without a better NDCG@10 that end a course.
        every: Epochs between validations.
        limit: Seconds of training that end a course.
        dropout: Of the states of the equal model.
        equal: A course of the equal model instead of the library's defaults.
        recipe: Of intertask's course.
        lines: The file of a course.
        checkpoint: From which a course of Lightning's goes on where it was stopped.
    """

    data: Path
    dataset: str
    folder: Path
    variant: str
    epochs: int
    seconds: float
    warm_up: int
    threads: int
    patience: int
    every: int
    limit: float
    dropout: float
    equal: bool
    recipe: Path | None
    lines: Path
    checkpoint: Path

    def to_json(self) -> str:
        """For the command line of a child process."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Options":
        """What `to_json` wrote."""
        told = json.loads(text)
        paths = {name: Path(told[name]) for name in ("data", "folder", "lines", "checkpoint")}
        recipe = None if told["recipe"] is None else Path(told["recipe"])
        return cls(**told | paths | {"recipe": recipe})


class Enough(Exception):  # noqa: N818
    """Ends a training loop that cannot be asked to stop."""


class Meter:
    """Counts targets against wall time, from the start of one batch to the start of another.

    What a loop does between batches, such as preparing the next, is part of it. The first batches are
    left out.
    """

    def __init__(self, options: Options, warm_up: int | None = None) -> None:
        self.options = options
        self.warm_up = options.warm_up if warm_up is None else warm_up
        self.seen = self.batches = self.targets = self.pending = 0
        self.began = self.ended = math.nan
        self.epoch_batches = math.inf
        self.before_mib = math.nan
        self.enough = False

    def start_batch(self, targets: int, epoch_batches: float) -> bool:
        """Note that a batch begins.

        Args:
            targets: Real target positions of the batch.
            epoch_batches: Batches in an epoch.

        Returns:
            Whether enough has been measured.
        """
        now = time.perf_counter()
        if self.enough:
            return True
        self.epoch_batches = epoch_batches
        if self.seen == 0:
            self.before_mib = peak_mib()
        if self.seen == self.warm_up:
            self.began = now
        elif self.seen > self.warm_up:
            self.ended = now
            self.batches, self.targets = self.batches + 1, self.targets + self.pending
            late = 0 < self.options.seconds <= now - self.began
            self.enough = late or self.batches >= self.options.epochs * epoch_batches
        self.seen, self.pending = self.seen + 1, targets
        return self.enough

    def require(self, targets: int, epoch_batches: float) -> None:
        """As `start_batch`, for loops that cannot be asked to stop.

        Raises:
            Enough: Enough has been measured.
        """
        if self.start_batch(targets, epoch_batches):
            raise Enough

    def result(self, weights: int) -> Found:
        """What was measured, for a model of so many weights."""
        seconds = self.ended - self.began
        return {
            "interactions_per_second": self.targets / seconds,
            "seconds": seconds,
            "batches": self.batches,
            "targets": self.targets,
            "measured_epochs": self.batches / self.epoch_batches,
            "weights": weights,
            "peak_before_training_mib": self.before_mib,
        }


class Course:
    """Validation NDCG@10 against seconds of training; the clock stands while it validates."""

    KEPT = ("epochs", "validations", "best_validation", "best", "trained", "points")

    def __init__(self, options: Options, data: Exported) -> None:
        self.options, self.data = options, data
        self.epochs = self.validations = self.best_validation = 0
        self.best, self.trained = -1.0, 0.0
        self.since = math.nan
        self.points: list[dict[str, float]] = []
        options.lines.write_text("", encoding="utf-8")

    def state(self) -> dict[str, object]:
        """Where it stands, for a checkpoint."""
        return {name: getattr(self, name) for name in self.KEPT}

    def restore(self, state: Mapping[str, object]) -> None:
        """Go on from what `state` told."""
        for name in self.KEPT:
            setattr(self, name, state[name])
        lines = "".join(json.dumps(point) + "\n" for point in self.points)
        self.options.lines.write_text(lines, encoding="utf-8")

    def start(self) -> None:
        """Start the clock."""
        self.since = time.perf_counter()

    def end_epoch(self, score: Score) -> bool:
        """Validate where it is time to, and write a line; True where training shall end."""
        self.trained += time.perf_counter() - self.since
        self.epochs += 1
        late = self.trained >= self.options.limit
        if self.epochs % self.options.every == 0 or late:
            self._validate(score)
        self.start()
        return late or self.validations - self.best_validation >= self.options.patience

    def _validate(self, score: Score) -> None:
        metrics = evaluate(self.data, score)
        self.validations += 1
        if metrics["ndcg@10"] > self.best:
            self.best, self.best_validation = metrics["ndcg@10"], self.validations
        self.points.append({"epoch": self.epochs, "train_seconds": round(self.trained, 3), **metrics})
        with self.options.lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self.points[-1]) + "\n")

    def result(self, weights: int) -> Found:
        """How it went, for a model of so many weights."""
        return {
            "ndcg@10": self.best,
            "epochs": self.epochs,
            "ended_by": "the limit" if self.trained >= self.options.limit else "patience",
            "seconds": self.trained,
            "weights": weights,
            "course": self.points,
        }


class LightningTrainer(Protocol):
    """What is used of the trainer that RecTools and RePlay share, each from a package of its own."""

    should_stop: bool
    num_training_batches: float

    def save_checkpoint(self, filepath: Path) -> None:
        """Write weights, optimizer and the state of callbacks."""
        ...


class Module(Protocol):
    """What is used of a `torch.nn.Module`."""

    def modules(self) -> Iterable[object]:
        """All parts."""
        ...


def without_attention_dropout(module: Module) -> None:
    """No dropout on attention weights: one option of the peers drops them and the states alike.

    With it none of the libraries can take PyTorch's fused attention on a CPU.
    """
    found = [part for part in module.modules() if type(part).__name__ == "MultiheadAttention"]
    if not found:
        raise LookupError("the attention of this model is another than torch's: its dropout stays")
    for part in found:
        setattr(part, "dropout", 0.0)  # noqa: B010 (a module of torch, which is not imported here)


Count = Callable[[Mapping[str, Any]], int]  # a batch of the peer: its number of real target positions


class LightningMeter:
    """Callback that meters a Lightning training; to be mixed with the Callback of either package."""

    def __init__(self, meter: Meter, count: Count) -> None:
        super().__init__()
        self.meter, self.count = meter, count

    def on_train_start(self, trainer: LightningTrainer, module: Module) -> None:
        """Make the model equal."""
        without_attention_dropout(module)

    def on_train_batch_start(
        self, trainer: LightningTrainer, module: object, batch: Mapping[str, object], index: int
    ) -> None:
        """Note that a batch begins."""
        if self.meter.start_batch(self.count(batch), trainer.num_training_batches):
            trainer.should_stop = True


class LightningCourse:
    """Callback that validates a Lightning training; to be mixed with the Callback of either package."""

    def __init__(self, course: Course, scorer: Callable[[Any], Score]) -> None:
        super().__init__()
        self.course, self.scorer = course, scorer

    def on_train_start(self, trainer: LightningTrainer, module: Module) -> None:
        """Start the clock."""
        if self.course.options.equal:
            without_attention_dropout(module)
        self.course.start()

    def on_train_epoch_end(self, trainer: LightningTrainer, module: object) -> None:
        """Validate."""
        if self.course.end_epoch(self.scorer(module)):
            trainer.should_stop = True
        elif self.course.points and self.course.points[-1]["epoch"] == self.course.epochs:
            aside = self.course.options.checkpoint.with_suffix(".aside")
            trainer.save_checkpoint(aside)
            aside.replace(self.course.options.checkpoint)
            self.course.start()  # the clock stood

    def state_dict(self) -> dict[str, object]:
        """What Lightning puts into a checkpoint."""
        return self.course.state()

    def load_state_dict(self, state_dict: Mapping[str, object]) -> None:
        """What Lightning found in one."""
        self.course.restore(state_dict)


def checkpoint(options: Options) -> Path | None:
    """From which a course goes on, where it was stopped."""
    return options.checkpoint if options.checkpoint.exists() else None


def timed_twice(evaluation: Callable[[], dict[str, float]]) -> Found:
    """The metrics and seconds of an evaluation; of the second of two, the first warms up."""
    before = peak_mib()
    evaluation()
    began = time.perf_counter()
    found: Found = dict(evaluation())
    return found | {"seconds": time.perf_counter() - began, "peak_before_evaluation_mib": before}


def peak_mib() -> float:
    """Peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main(stages: Mapping[Stage, Callable[[Options, Exported], Found]]) -> None:
    """Run one stage of an adapter and write what it found as JSON to --out."""
    parser = argparse.ArgumentParser()
    parser.add_argument("stage", choices=list(stages))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--options", required=True, help="The fields of Options, as JSON.")
    given = parser.parse_args()
    options = Options.from_json(given.options)
    found = stages[given.stage](options, Exported.read(options.data))
    given.out.write_text(json.dumps(found | {"versions": _versions()}), encoding="utf-8")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("torch", "intertask", "rectools", "replay-rec", "recbole", "implicit"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
