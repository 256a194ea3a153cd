"""What tasks gain or lose by being trained together, from runs that have been evaluated.

Each task is set against itself trained alone, target by target, averaged over the seeds: a paired
bootstrap over users and seeds, corrected by Holm for the number of tasks. With one seed it knows nothing of
the luck of training. Knows nothing of how the runs came about.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import computed_field

from intertask.errors import DataError, ProtocolError
from intertask.evaluate.compare import per_target
from intertask.evaluate.cosines import Cosines, cosines, opposed_by
from intertask.evaluate.frames import frame_of
from intertask.evaluate.protocol import AnyProtocol
from intertask.evaluate.reading import Reading
from intertask.evaluate.results import Evaluation, Found, Interval
from intertask.evaluate.sufficiency import in_words, too_few
from intertask.evaluate.targets import classes
from intertask.metrics.bootstrap import SIGNIFICANT, crossed_interval, holm
from intertask.metrics.direction import MAIN_METRIC
from intertask.options.config import Config
from intertask.options.seeds import generator
from intertask.storage.journal import of_event


class Change(Found):
    """One task, trained together with others against trained alone; higher is better for each metric."""

    together: float
    alone: float
    difference: float  # together minus alone
    interval: Interval  # 95 %, users and seeds
    p_value: float  # corrected by Holm over the tasks
    by_seed: list[float]  # the difference of each seed
    too_few: str = ""  # why there is too little to judge by, where there is

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def verdict(self) -> str:
        """ "gains" or "loses" where the corrected p value is below 5 %; "not judged" of too few targets."""
        shown = self.difference if self.p_value < SIGNIFICANT else 0.0
        return in_words(shown, "gains", "loses", self.too_few)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def percent(self) -> float:
        """The difference in percent of what the task has alone."""
        return 100 * self.difference / abs(self.alone) if self.alone else 0.0


class TaskTransfer(Config):
    """What one task gains or loses."""

    task: str
    metric: str
    targets: int
    alone: Change
    matched: Change  # against a model of its own with as many weights as the joint one
    opposed_by: str | None = None  # of a task that loses: whose gradient points against it most


class Cost(Config):
    """Time and size; the sums are over the models that answer all tasks one by one."""

    seconds_together: float
    seconds_alone: float
    weights_together: int
    weights_alone: int


class Summary(Config):
    """A study in four values."""

    mean_percent: float
    worst: str  # the task with the least change
    losses: list[str]  # the tasks that lose significantly
    to_detach: str | None


class Transfer(Found):
    """Everything that a study found."""

    recipe: str
    seeds: list[int]
    protocol: AnyProtocol
    commit: str
    streams: dict[str, AnyProtocol] = {}  # of further logs, by their names
    tasks: list[TaskTransfer]
    cosines: Cosines | None
    cost: Cost
    closed_edges: dict[str, list[str]]  # of the first seed: which slots each task no longer reads
    readings: list[Reading] = []  # of the first seed, one for each stream, where the mechanism tells
    apart: list[str] = []  # the tasks that are detached in "together", and push on no other
    detached: str | None = None  # the task that was detached in "together"

    @computed_field  # type: ignore[prop-decorator]
    @property
    def summary(self) -> Summary:
        """What a reader of the file wants first."""
        losses = [task.task for task in self.losers]
        return Summary(
            mean_percent=self.mean_percent, worst=self.worst.task, losses=losses, to_detach=self.to_detach
        )

    def to_frame(self) -> pl.DataFrame:
        """A row for each task: alone, together, difference, interval, p; the same of `matched`."""
        named = pl.DataFrame([row.model_dump(include={"task", "metric", "targets"}) for row in self.tasks])
        own, matched = (
            frame_of(Change, [getattr(row, name) for row in self.tasks]) for name in ("alone", "matched")
        )
        matched = matched.select(pl.all().name.prefix("matched_"))
        return pl.concat([named, own, matched], how="horizontal")

    @property
    def mean_percent(self) -> float:
        """The mean change over the tasks."""
        return float(np.mean([task.alone.percent for task in self.tasks]))

    @property
    def worst(self) -> TaskTransfer:
        """The task with the least change."""
        return min(self.tasks, key=lambda task: task.alone.percent)

    @property
    def losers(self) -> list[TaskTransfer]:
        """The tasks that lose significantly."""
        return [task for task in self.tasks if task.alone.verdict == "loses"]

    @property
    def to_detach(self) -> str | None:
        """The task that opposes the one that loses most; None where none does."""
        opposed = [task for task in self.losers if task.opposed_by]
        return min(opposed, key=lambda task: task.alone.percent).opposed_by if opposed else None


def transfer(
    recipe: str,
    seeds: Sequence[int],
    together: Sequence[Path],
    alone: Mapping[str, Sequence[Path]],
    matched: Mapping[str, Sequence[Path]],
) -> Transfer:
    """The report of a study.

    Args:
        recipe: Its name.
        seeds: One for each of the runs below.
        together: Folders of the joint runs.
        alone: Of each task's own runs.
        matched: Of each task's own runs with as many weights as the joint ones.

    Raises:
        ProtocolError: Two runs were not measured in the same way.
        DataError: One has not been evaluated.
    """
    evaluation = Evaluation.read(together[0] / "evaluation.json")
    for task in alone:
        expected = Evaluation.read(stream_of(together[0], task) / "evaluation.json").protocol
        joint = [stream_of(folder, task) for folder in together]
        for folder in [*joint, *alone[task], *matched[task]]:
            if Evaluation.read(folder / "evaluation.json").protocol != expected:
                raise ProtocolError(
                    str(folder), "the protocol of the joint run", "another", "evaluate both in the same way"
                )
    angles = cosines(together)
    streams = {
        file.parent.name: Evaluation.read(file).protocol
        for file in sorted(together[0].glob("streams/*/evaluation.json"))
    }
    tasks = list(alone)
    against_alone = changes(dict.fromkeys(tasks, together), alone)
    against_matched = changes(dict.fromkeys(tasks, together), matched)
    rows = []
    for task in tasks:
        own = per_target(stream_of(together[0], task), MAIN_METRIC).filter(pl.col("task") == task)
        loses = against_alone[task].verdict == "loses"
        rows.append(
            TaskTransfer(
                task=task,
                metric=own["metric"][0],
                targets=own["target"].n_unique(),
                alone=against_alone[task],
                matched=against_matched[task],
                opposed_by=opposed_by(task, angles) if loses else None,
            )
        )
    return Transfer(
        recipe=recipe,
        seeds=list(seeds),
        protocol=evaluation.protocol,
        commit=evaluation.provenance.commit,
        streams=streams,
        tasks=rows,
        cosines=angles,
        cost=_cost(together, alone),
        closed_edges=closed_edges(together[0]),
    )


def changes(together: Mapping[str, Sequence[Path]], alone: Mapping[str, Sequence[Path]]) -> dict[str, Change]:
    """What each task gains or loses, Holm-corrected over the tasks; its runs of one kind and of the other."""
    found = {}
    for task, runs in together.items():
        pairs = [
            _first_setting(stream_of(joint, task), task).join(
                _first_setting(own, task), on="target", suffix="_alone"
            )
            for joint, own in zip(runs, alone[task], strict=True)
        ]
        values, values_alone = (
            np.stack([pair.sort("target")[name].to_numpy() for pair in pairs], axis=1)
            for name in ("value", "value_alone")
        )
        first = pairs[0].sort("target")
        units = first["unit"].to_numpy()
        estimate = crossed_interval(values - values_alone, units, generator(0, "transfer"))
        words = Evaluation.read(stream_of(runs[0], task) / "evaluation.json").protocol.unit
        found[task] = values, values_alone, estimate, too_few(units, classes(first), words)
    corrected = holm(np.array([estimate.p_values[0] for _, _, estimate, _ in found.values()]))
    return {
        task: Change(
            together=float(values.mean()),
            alone=float(values_alone.mean()),
            difference=float(estimate.values[0]),
            interval=Interval(low=float(estimate.lows[0]), high=float(estimate.highs[0])),
            p_value=float(p_value),
            by_seed=(values - values_alone).mean(0).tolist(),
            too_few=lacking,
        )
        for (task, (values, values_alone, estimate, lacking)), p_value in zip(
            found.items(), corrected, strict=True
        )
    }


def stream_of(run: Path, task: str) -> Path:
    """Where a run has the evaluation of a task: in its own folder, or in that of one of its streams."""
    for file in sorted(run.glob("streams/*/evaluation.json")):
        found = Evaluation.read(file)
        if task in {row.task for row in found.scores}:
            return file.parent
    return run


def _first_setting(folder: Path, task: str) -> pl.DataFrame:
    """The targets of a task in the setting that the recipe names first."""
    own = per_target(folder, MAIN_METRIC).filter(pl.col("task") == task)
    if own.is_empty():
        raise DataError(f"task {task}", "targets in the part that is evaluated", "none", "leave the task out")
    return own.filter(pl.col("setting") == own["setting"][0])


def _cost(together: Sequence[Path], alone: Mapping[str, Sequence[Path]]) -> Cost:
    own = [folder for folders in alone.values() for folder in folders]
    return Cost(
        seconds_together=round(sum(map(_seconds, together)), 1),
        seconds_alone=round(sum(map(_seconds, own)), 1),
        weights_together=num_weights(together[0]),
        weights_alone=sum(num_weights(folders[0]) for folders in alone.values()),
    )


def _seconds(folder: Path) -> float:
    return float(sum(line["seconds"] for event in ("step", "validation") for line in of_event(folder, event)))


def num_weights(folder: Path) -> int:
    """How many numbers a run trains.

    Raises:
        DataError: Its journal is gone.
    """
    starts = of_event(folder, "start")
    if not starts:
        raise DataError(
            str(folder / "journal.jsonl"),
            "the journal of the run",
            "none",
            "delete the run's folder: it is trained again",
        )
    return int(starts[0]["weights"])


def closed_edges(folder: Path) -> dict[str, list[str]]:
    """Which slots each task of a run no longer reads; the journal's last word is of the kept weights."""
    lines = of_event(folder, "edges")  # a line for each stream
    last = [line["closed"] for line in lines if line["step"] == lines[-1]["step"]]
    return {task: slots for closed in last for task, slots in closed.items()}
