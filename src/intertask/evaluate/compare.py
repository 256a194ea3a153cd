"""Runs on the same targets: who is better, and is it more than chance.

Refuses runs whose protocols differ in anything: data, split, part, history, candidates, ties, query time.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import computed_field

from intertask.errors import DataError, ProtocolError, RequestError
from intertask.evaluate import kept
from intertask.evaluate.config import MODEL
from intertask.evaluate.frames import frame_of
from intertask.evaluate.protocol import AnyProtocol, Protocol
from intertask.evaluate.results import Evaluation, Found, Interval
from intertask.evaluate.sufficiency import in_words, too_few
from intertask.evaluate.targets import (
    QUESTION,
    RANK,
    chances,
    classes,
    measured,
    of_system,
    with_metric,
)
from intertask.metrics.bootstrap import SIGNIFICANT, difference_intervals, holm, p_values_of
from intertask.metrics.direction import MAIN_METRIC
from intertask.metrics.resampled_auc import areas_under, resampled_auc
from intertask.options.config import Config
from intertask.options.seeds import generator
from intertask.storage.files import read_whole

KS = (5, 10, 20)
AUC = "auc"


class ComparedRow(Found):
    """One metric of the first run and another; higher is better for each, losses are negated."""

    run: str  # the other, as in `Comparison.runs`
    task: str
    history: str  # empty for a task that ranks no items
    metric: str
    targets: int
    first: float
    second: float  # of the other run
    difference: float  # first minus second
    interval: Interval
    p_value: float  # corrected by Holm over runs, tasks and histories
    too_few: str = ""  # why there is too little to judge by, where there is

    @property
    def is_alone(self) -> bool:
        """Whether it stands for its task whatever the metric: the quality of one that ranks nothing."""
        return "@" not in self.metric and self.metric != AUC

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def verdict(self) -> str:
        """ "first is better" or "first is worse" where the corrected p value is below 5 %."""
        shown = self.difference if self.p_value < SIGNIFICANT else 0.0
        return in_words(shown, "first is better", "first is worse", self.too_few)


class Comparison(Config):
    """Several runs against the first of them, metric by metric."""

    first: str  # recipe, folder, seed and commit
    others: list[str]
    runs: list[str]  # short names, of the first and of the others
    protocol: AnyProtocol
    rows: list[ComparedRow]

    def of(self, metric: str = MAIN_METRIC) -> list[ComparedRow]:
        """The rows of one metric; of the main one of rankings, with the qualities of all other tasks."""
        return [row for row in self.rows if row.metric == metric or (metric == MAIN_METRIC and row.is_alone)]

    def to_frame(self) -> pl.DataFrame:
        """All rows as a frame, with the columns `low` and `high` of the interval."""
        return frame_of(ComparedRow, self.rows)


def compare(first: Path | Evaluation, *others: Path | Evaluation, resamples: int = 2000) -> Comparison:
    """The differences of evaluated runs, the first minus each other, paired by target.

    Args:
        first: The folder of a run, or what `evaluate` gave.
        others: At least one other.
        resamples: Of the bootstrap.

    Raises:
        ProtocolError: They were not measured in the same way, or a task of one name asks for different
            targets or labels; names what differs.
        DataError: One has not been evaluated, or they have no task in common.
        RequestError: There is no other run.
    """
    if not others:
        raise RequestError("compare", "two runs or more", "one", "name the run that it is compared with")
    measured = [_Measured.of(run, place) for place, run in enumerate((first, *others))]
    names = _distinct([run.short for run in measured], [run.where for run in measured])
    rows = [
        row
        for name, other in zip(names[1:], measured[1:], strict=True)
        for row in _against(measured[0], other, name, resamples)
    ]
    return Comparison(
        first=measured[0].name,
        others=[run.name for run in measured[1:]],
        runs=names,
        protocol=measured[0].evaluation.protocol,
        rows=_corrected(rows),
    )


@dataclass(frozen=True)
class _Measured:
    """One side: what became of the model's targets, and what errors and tables call it."""

    evaluation: Evaluation
    targets: pl.DataFrame
    where: str
    short: str

    @classmethod
    def of(cls, run: Path | Evaluation, place: int) -> "_Measured":
        if isinstance(run, Evaluation):
            if run.targets is None:
                raise DataError(
                    f"evaluation {place + 1}",
                    "one that knows its targets, as `evaluate` gives it",
                    "one read from its file",
                    "name the folder of its run",
                )
            return cls(run, of_system(run.targets, MODEL), f"evaluation {place + 1}", run.model)
        folder = Path(run)
        evaluation, targets = _read(folder)
        return cls(evaluation, targets, str(folder), folder.resolve().name)

    @property
    def with_auc(self) -> set[str]:
        """The tasks that ask for yes or no, of which both occur."""
        return {row.task for row in self.evaluation.scores if row.system == MODEL and AUC in row.metrics}

    @property
    def name(self) -> str:
        """Recipe, folder, seed and commit."""
        origin = self.evaluation.provenance
        return f"{self.evaluation.model} ({self.short}, seed {origin.seed}, commit {origin.commit})"


def _distinct(short: list[str], where: list[str]) -> list[str]:
    """Short names where they differ, else whole ones, numbered where those are the same as well."""
    names = [whole if short.count(name) > 1 else name for name, whole in zip(short, where, strict=True)]
    return [f"{name} #{place + 1}" if names.count(name) > 1 else name for place, name in enumerate(names)]


def _against(first: _Measured, other: _Measured, name: str, resamples: int) -> list[ComparedRow]:
    """Every metric of every task that both have."""
    _refuse_other_protocol(first.evaluation.protocol, other.evaluation.protocol, other.where)
    one, two = first.targets, other.targets
    if one.join(two, on=QUESTION, how="semi").is_empty():
        raise DataError(other.where, "a task of the same name as in the other run", "none in common")
    pairs = one.join(two, on=[*QUESTION, "target"], suffix="_second")
    _refuse_other_targets(one, two, pairs, other.where)
    _refuse_other_questions(pairs, other.where)
    groups = {(str(task), str(setting)): group for (task, setting), group in pairs.group_by(*QUESTION)}
    unit, of_auc = first.evaluation.protocol.unit, first.with_auc & other.with_auc
    rows = []
    for task, setting in sorted(groups, key=lambda key: (groups[key]["metric"][0] != RANK, key)):
        group = groups[task, setting].sort("target")
        rows += _rows(name, task, setting, group, resamples, unit)
        if task in of_auc and (labels := classes(group)) is not None:
            rows += _auc(rows[-1], group, labels, resamples)
    return rows


def _auc(
    quality: ComparedRow, group: pl.DataFrame, labels: NDArray[np.float64], resamples: int
) -> list[ComparedRow]:
    """The row of a task by AUC beside that of its quality; none where no resample has both answers."""
    scores = np.stack([chances(group), chances(group, "_second")], axis=1)
    first, second = areas_under(labels, scores).tolist()
    areas = resampled_auc(labels, scores, group["unit"].to_numpy(), generator(0, "compare"), resamples)
    gaps = (areas[:, :1] - areas[:, 1:])[~np.isnan(areas[:, 0])]
    if not len(gaps):
        return []
    low, high = np.quantile(gaps[:, 0], (0.025, 0.975)).tolist()
    found = {
        "metric": AUC,
        "first": first,
        "second": second,
        "difference": first - second,
        "interval": Interval(low=low, high=high),
        "p_value": float(p_values_of(gaps)[0]) if group["unit"].n_unique() > 1 else 1.0,
    }
    return [quality.model_copy(update=found)]


def _corrected(rows: list[ComparedRow]) -> list[ComparedRow]:
    """P values corrected over all questions, of which each is asked with the metric or else its own."""
    corrected: dict[int, float] = {}
    for metric in dict.fromkeys([MAIN_METRIC, *(row.metric for row in rows if not row.is_alone)]):
        having = {(row.run, row.task) for row in rows if row.metric == metric}
        family = [
            place
            for place, row in enumerate(rows)
            if row.metric == metric or (row.is_alone and (row.run, row.task) not in having)
        ]
        found = holm(np.array([rows[place].p_value for place in family]))
        own = [place for place in family if not rows[place].is_alone or metric == MAIN_METRIC]
        values = dict(zip(family, found.tolist(), strict=True))
        corrected |= {place: values[place] for place in own}
    return [row.model_copy(update={"p_value": corrected[place]}) for place, row in enumerate(rows)]


def per_target(folder: Path, metric: str = MAIN_METRIC) -> pl.DataFrame:
    """What each target of an evaluated run was worth to the model, higher is better.

    Args:
        folder: Of the run.
        metric: Of next-item tasks; the others have one each.

    Returns:
        Columns task, setting, unit, target, metric, value, label.

    Raises:
        DataError: The run has not been evaluated.
    """
    _, targets = _read(folder)
    return with_metric(targets, metric).drop("system")


def _rows(
    run: str, task: str, history: str, group: pl.DataFrame, resamples: int, unit: tuple[str, str]
) -> list[ComparedRow]:
    """The metrics of one task, paired by target."""
    one, two = measured(group, KS), measured(group, KS, "_second")
    units = group["unit"].to_numpy()
    found = difference_intervals(
        np.stack(list(one.values()), 1),
        np.stack(list(two.values()), 1),
        units,
        generator(0, "compare"),
        num_resamples=resamples,
    )
    lacking = too_few(units, classes(group), unit)
    return [
        ComparedRow(
            run=run,
            task=task,
            history=history,
            metric=metric,
            targets=len(group),
            first=float(one[metric].mean()),
            second=float(two[metric].mean()),
            difference=float(found.values[place]),
            interval=Interval(low=float(found.lows[place]), high=float(found.highs[place])),
            p_value=float(found.p_values[place]),
            too_few=lacking,
        )
        for place, metric in enumerate(one)
    ]


def _read(folder: Path) -> tuple[Evaluation, pl.DataFrame]:
    """The evaluation in a run's folder, with what became of the model's targets."""
    found, targets = read_whole(folder, lambda: kept.read(folder))
    return found, of_system(targets, MODEL)


def _refuse_other_targets(
    first: pl.DataFrame, second: pl.DataFrame, pairs: pl.DataFrame, folder: str
) -> None:
    """Two tasks of one name may ask for different behaviours; what they share is neither's question."""
    sizes = [frame.group_by(QUESTION).len() for frame in (first, second, pairs)]
    table = (
        sizes[0]
        .join(sizes[1], on=QUESTION, suffix="_second")
        .join(sizes[2], on=QUESTION, how="left", suffix="_common")
    )
    for task, history, one, two, common in table.sort(QUESTION).fill_null(0).iter_rows():
        if not one == two == common:
            place = f"{folder} task {task}" + (f", history {history}" if history else "")
            raise ProtocolError(
                place,
                f"the {one:,} targets of the other run",
                f"{two:,}, of which {common:,} are the same",
                "does the task ask for another behaviour?",
            )


def _refuse_other_questions(pairs: pl.DataFrame, folder: str) -> None:
    """Two tasks of one name may ask something else of the same targets: a value, or another behaviour."""
    for column, advice in (
        ("metric", "do both answer in the same form?"),
        ("label", "do both ask for the same behaviour, label and at_least?"),
    ):
        other = pairs.filter(pl.col(column).ne_missing(pl.col(f"{column}_second"))).sort(*QUESTION, "target")
        if not other.is_empty():
            row = other.row(0, named=True)
            raise ProtocolError(
                f"{folder} task {row['task']}",
                f"{column} {row[column]} of target {row['target']}, as in the other run",
                str(row[f"{column}_second"]),
                advice,
            )


def _refuse_other_protocol(first: Protocol, second: Protocol, folder: str) -> None:
    told = second.model_dump()
    for name, value in first.model_dump().items():
        other = told.get(name)  # another kind of data has other conditions
        if value != other:
            raise ProtocolError(
                f"{folder} {name}",
                f"{value!r}, as in the other run",
                f"{other!r}",
                "evaluate both in the same way before comparing them",
            )
