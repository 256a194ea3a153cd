"""What tasks gain or lose by being trained together, from runs that have been evaluated.

Each task is set against itself trained alone, target by target, averaged over the seeds: a paired
bootstrap over users, corrected by Holm for the number of tasks. Knows nothing of how the runs came about.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from intertask.config import Config
from intertask.errors import ProtocolError
from intertask.evaluate.compare import per_target
from intertask.evaluate.results import Evaluation, Interval, Protocol
from intertask.metrics.bootstrap import difference_intervals, holm
from intertask.seeds import generator

METRIC = "ndcg@10"
SIGNIFICANT = 0.05


class Change(Config):
    """One task, trained together with others against trained alone; higher is better for each metric."""

    together: float
    alone: float
    difference: float  # together minus alone
    interval: Interval  # 95 %, users
    p_value: float  # corrected by Holm over the tasks
    by_seed: list[float]  # the difference of each seed

    @property
    def verdict(self) -> str:
        """ "gains" or "loses" where the corrected p value is below 5 %."""
        if self.p_value >= SIGNIFICANT:
            return "no difference shown"
        return "gains" if self.difference > 0 else "loses"

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


class Cosines(Config):
    """Mean cosines between the gradients of the tasks at the trunk's output, over training."""

    tasks: list[str]
    mean: list[list[float]]
    by_epoch: list[list[list[float]]]


class Cost(Config):
    """Time and size; the sums are over the models that answer all tasks one by one."""

    seconds_together: float
    seconds_alone: float
    weights_together: int
    weights_alone: int


class Transfer(Config):
    """Everything that a study found."""

    recipe: str
    seeds: list[int]
    protocol: Protocol
    commit: str
    tasks: list[TaskTransfer]
    cosines: Cosines | None
    cost: Cost
    closed_edges: dict[str, list[str]]  # of the first seed: which slots each task no longer reads

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
    def to_detach(self) -> list[str]:
        """The tasks that oppose one that loses."""
        return sorted({task.opposed_by for task in self.losers if task.opposed_by})


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
    for folder in [*together, *(f for runs in (alone, matched) for own in runs.values() for f in own)]:
        if Evaluation.read(folder / "evaluation.json").protocol != evaluation.protocol:
            raise ProtocolError(
                str(folder), "the protocol of the joint run", "another", "evaluate both in the same way"
            )
    cosines = _cosines(together)
    tasks = list(alone)
    against_alone = changes(tasks, together, alone)
    against_matched = changes(tasks, together, matched)
    frame = per_target(together[0], METRIC)
    rows = []
    for task in tasks:
        own = frame.filter(pl.col("task") == task)
        loses = against_alone[task].verdict == "loses"
        rows.append(
            TaskTransfer(
                task=task, metric=own["metric"][0], targets=own["target"].n_unique(),
                alone=against_alone[task], matched=against_matched[task],
                opposed_by=_opposed_by(task, cosines) if loses else None,
            )
        )  # fmt: skip
    return Transfer(
        recipe=recipe, seeds=list(seeds), protocol=evaluation.protocol, commit=evaluation.provenance.commit,
        tasks=rows, cosines=cosines, cost=_cost(together, alone), closed_edges=_closed_edges(together[0]),
    )  # fmt: skip


def changes(
    tasks: Sequence[str], together: Sequence[Path], alone: Mapping[str, Sequence[Path]]
) -> dict[str, Change]:
    """What each task gains or loses, Holm-corrected over the tasks; folders as for `transfer`."""
    joint = [per_target(folder, METRIC) for folder in together]
    found = {}
    for task in tasks:
        pairs = [
            _first_history(frame, task).join(
                _first_history(per_target(folder, METRIC), task), on="target", suffix="_alone"
            )
            for frame, folder in zip(joint, alone[task], strict=True)
        ]
        mean = pl.concat(pairs).group_by("target", "user").agg(pl.col("value", "value_alone").mean())
        mean = mean.sort("target")
        estimate = difference_intervals(
            mean["value"].to_numpy()[:, None], mean["value_alone"].to_numpy()[:, None],
            mean["user"].to_numpy(), generator(0, "transfer"),
        )  # fmt: skip
        found[task] = mean, estimate, [_mean(p["value"] - p["value_alone"]) for p in pairs]
    corrected = holm(np.array([estimate.p_values[0] for _, estimate, _ in found.values()]))
    return {
        task: Change(
            together=_mean(mean["value"]), alone=_mean(mean["value_alone"]),
            difference=float(estimate.values[0]),
            interval=Interval(low=float(estimate.lows[0]), high=float(estimate.highs[0])),
            p_value=float(p_value), by_seed=by_seed,
        )
        for (task, (mean, estimate, by_seed)), p_value in zip(found.items(), corrected, strict=True)
    }  # fmt: skip


def _mean(values: pl.Series) -> float:
    return float(values.to_numpy().mean())


def _first_history(frame: pl.DataFrame, task: str) -> pl.DataFrame:
    """The targets of a task under the way to treat the history that the recipe names first."""
    own = frame.filter(pl.col("task") == task)
    return own.filter(pl.col("history") == own["history"][0]).select("target", "user", "value")


def _cosines(together: Sequence[Path]) -> Cosines | None:
    lines = [line for folder in together for line in _journal(folder, "gradients")]
    if not lines:
        return None
    tasks = max((line["tasks"] for line in lines), key=len)
    whole = [line for line in lines if line["tasks"] == tasks]
    epochs = sorted({line["epoch"] for line in whole})
    by_epoch = [
        np.mean([line["cosines"] for line in whole if line["epoch"] == epoch], axis=0).round(4).tolist()
        for epoch in epochs
    ]
    mean = np.mean([line["cosines"] for line in whole], axis=0).round(4).tolist()
    return Cosines(tasks=tasks, mean=mean, by_epoch=by_epoch)


def _opposed_by(task: str, cosines: Cosines | None) -> str | None:
    """The task whose gradient points against this one's; None where none does."""
    if cosines is None or task not in cosines.tasks:
        return None
    row = cosines.mean[cosines.tasks.index(task)]
    cosine, other = min((value, name) for value, name in zip(row, cosines.tasks, strict=True) if name != task)
    return other if cosine < 0 else None


def _cost(together: Sequence[Path], alone: Mapping[str, Sequence[Path]]) -> Cost:
    own = [folder for folders in alone.values() for folder in folders]
    return Cost(
        seconds_together=round(sum(map(_seconds, together)), 1),
        seconds_alone=round(sum(map(_seconds, own)), 1),
        weights_together=num_weights(together[0]),
        weights_alone=sum(num_weights(folders[0]) for folders in alone.values()),
    )


def _seconds(folder: Path) -> float:
    return float(sum(line["seconds"] for event in ("step", "validation") for line in _journal(folder, event)))


def num_weights(folder: Path) -> int:
    """How many numbers a run trains."""
    return int(_journal(folder, "start")[0]["weights"])


def _closed_edges(folder: Path) -> dict[str, list[str]]:
    closed: dict[str, list[str]] = {}
    for line in _journal(folder, "edges"):
        for verdict in line["verdicts"]:
            if verdict["closed"]:
                closed.setdefault(verdict["reader"], []).append(verdict["source"])
    return closed


def _journal(folder: Path, event: str) -> list[dict]:  # type: ignore[type-arg]
    lines = map(json.loads, (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line["event"] == event]
