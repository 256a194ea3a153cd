"""Answers of several systems to the same targets as rows of an evaluation, with intervals and differences.

Knows kinds of answers and units that are resampled, and no kind of data: a wing hands over truth, predictions
and the units that own the targets.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.answers import Answer, Array, Floats
from intertask.errors import TrainingError
from intertask.evaluate.config import MODEL
from intertask.evaluate.results import CalibrationBin, DifferenceRow, Interval, KeptAnswers, ScoreRow
from intertask.evaluate.sufficiency import too_few
from intertask.evaluate.targets import rows as target_rows
from intertask.metrics.bootstrap import difference_intervals, mean_intervals
from intertask.metrics.resampled_auc import resampled_auc
from intertask.metrics.responses import Bin

ENDS = (0.025, 0.975)


@dataclass(frozen=True)
class Answers:
    """What a system answered, and what was right.

    Args:
        answer: Which kind of answers.
        truth: As the kind takes it, [n, ...].
        predicted: As the kind takes it, [n, ...].
    """

    answer: Answer
    truth: Array
    predicted: Array

    def metrics(self) -> dict[str, float]:
        """The metrics of this kind."""
        return self.answer.measure(self.truth, self.predicted)

    def qualities(self) -> Floats:
        """How good each answer is."""
        return self.answer.qualities(self.truth, self.predicted)

    def take(self, members: NDArray[np.bool_]) -> "Answers":
        """Those to some of the targets."""
        return Answers(self.answer, self.truth[members], self.predicted[members])


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are drawn.

    Args:
        generator: Gives one that draws the same units whenever it is asked.
        resamples: How often all units are drawn.
        words: What one unit is called, and several.
    """

    generator: Callable[[], np.random.Generator]
    resamples: int
    words: tuple[str, str] = ("user", "users")


@dataclass(frozen=True)
class Scored:
    """What was found of one task.

    Args:
        rows: One for each system and slice.
        differences: The model against each other system, over all targets.
        table: What became of each target (`targets`).
    """

    rows: list[ScoreRow]
    differences: list[DifferenceRow]
    table: pl.DataFrame


def scored(
    task: str,
    by_system: Mapping[str, Answers],
    units: NDArray[np.integer],
    targets: NDArray[np.integer],
    bootstrap: Bootstrap,
    slices: Mapping[str, NDArray[np.bool_]] | None = None,
    *,
    judge_auc: bool = True,
) -> Scored:
    """The rows of one task.

    Args:
        task: Its name.
        by_system: The answers of the model, under its name, and of all others, to the same targets.
        units: [n], the unit that owns each target: its user, document, day, hospital; or its own number.
        targets: [n], the same number for the same target in every run on these data.
        bootstrap: How intervals are drawn.
        slices: Groups of targets by name that have rows of their own; the slice "all" is always there.
        judge_auc: Set the model against the others by AUC as well, where there is one, before the quality.

    Raises:
        TrainingError: An answer is no number.
    """
    for system, answers in by_system.items():
        predicted = answers.predicted
        if predicted.dtype.kind != "O" and not np.isfinite(predicted.astype(np.float64)).all():
            raise TrainingError(
                f"answers of {system}, task {task!r}", "numbers", "NaN or infinite", "train it again"
            )
    areas = _areas(by_system, units, bootstrap)
    rows = _rows(task, "all", by_system, units, bootstrap, areas)
    for name, members in (slices or {}).items():
        if members.any():
            own = {system: answers.take(members) for system, answers in by_system.items()}
            some = units[members]
            rows += _rows(task, name, own, some, bootstrap, _areas(own, some, bootstrap))
    tables = []
    for system, answers in by_system.items():
        quality, labels = answers.answer.quality, answers.truth
        told = labels if labels.ndim == 1 and labels.dtype.kind != "O" else None
        tables.append(target_rows(system, task, "", units, targets, quality, answers.qualities(), told))
    judged = areas if judge_auc else None
    return Scored(rows, _differences(task, by_system, units, bootstrap, judged), pl.concat(tables))


def _lacking(answers: Answers, units: NDArray[np.integer], bootstrap: Bootstrap) -> str:
    return too_few(units, answers.answer.classes(answers.truth), bootstrap.words)


def _rows(
    task: str,
    name: str,
    by_system: Mapping[str, Answers],
    units: NDArray[np.integer],
    bootstrap: Bootstrap,
    areas: Floats | None,
) -> list[ScoreRow]:
    intervals = _intervals(by_system, units, bootstrap, areas)
    lacking = _lacking(by_system[MODEL], units, bootstrap)
    return [
        ScoreRow(
            system=system,
            task=task,
            slice=name,
            count=len(answers.truth),
            metrics=answers.metrics(),
            intervals=intervals[system],
            calibration=_records(answers.answer.bins(answers.truth, answers.predicted)),
            quantiles=_records(answers.answer.quantiles(answers.truth, answers.predicted)),
            abstention=_kept(answers) if name == "all" else [],
            too_few=lacking,
        )
        for system, answers in by_system.items()
    ]


def _kept(answers: Answers) -> list[KeptAnswers]:
    found = answers.answer.abstention(answers.truth, answers.predicted)
    return [KeptAnswers(coverage=own.coverage, risk=own.risk, at_least=own.at_least) for own in found]


def _records(bins: Sequence[Bin]) -> list[CalibrationBin]:
    return [CalibrationBin(predicted=b.predicted, observed=b.observed, count=b.count) for b in bins]


def _intervals(
    by_system: Mapping[str, Answers],
    units: NDArray[np.integer],
    bootstrap: Bootstrap,
    areas: Floats | None,
) -> dict[str, dict[str, Interval]]:
    """The intervals of the metrics that have one, by system."""
    means = {name: own.answer.means(own.truth, own.predicted) for name, own in by_system.items()}
    columns = [(system, metric) for system, own in means.items() for metric in own]
    found = mean_intervals(
        np.stack([means[system][metric] for system, metric in columns], axis=1),
        units,
        bootstrap.generator(),
        num_resamples=bootstrap.resamples,
    )
    intervals: dict[str, dict[str, Interval]] = {name: {} for name in by_system}
    for place, (system, metric) in enumerate(columns):
        ends = by_system[system].answer.of_mean(metric, np.array([found.lows[place], found.highs[place]]))
        intervals[system][metric] = Interval(low=float(ends[0]), high=float(ends[1]))
    if areas is not None:
        for place, (low, high) in enumerate(np.nanquantile(areas, ENDS, axis=0).T):
            intervals[list(by_system)[place]]["auc"] = Interval(low=float(low), high=float(high))
    return intervals


def _areas(
    by_system: Mapping[str, Answers], units: NDArray[np.integer], bootstrap: Bootstrap
) -> Floats | None:
    """AUC of each resample and system; None where there is no yes or no, or not both."""
    told = [own.answer.yes_or_no(own.truth, own.predicted) for own in by_system.values()]
    pairs = [pair for pair in told if pair is not None]
    if len(pairs) < len(told) or len(np.unique(pairs[0][0])) < 2:
        return None
    scores = np.stack([probability for _, probability in pairs], axis=1)
    found = resampled_auc(pairs[0][0], scores, units, bootstrap.generator(), bootstrap.resamples)
    return None if np.isnan(found).all() else found


def _differences(
    task: str,
    by_system: Mapping[str, Answers],
    units: NDArray[np.integer],
    bootstrap: Bootstrap,
    areas: Floats | None,
) -> list[DifferenceRow]:
    """The model minus each other system, by AUC where there is one, and by quality."""
    model, others = by_system[MODEL], {name: own for name, own in by_system.items() if name != MODEL}
    if not others:
        return []
    rows, lacking = [], _lacking(model, units, bootstrap)
    if areas is not None:
        values = {name: own.metrics()["auc"] for name, own in by_system.items()}
        at = list(by_system)
        for name in others:
            gaps = areas[:, at.index(MODEL)] - areas[:, at.index(name)]
            ends = np.nanquantile(gaps, ENDS)
            rows.append(_difference(task, name, "auc", values[MODEL] - values[name], ends, lacking))
    own = model.qualities()
    found = difference_intervals(
        np.stack([own] * len(others), axis=1),
        np.stack([other.qualities() for other in others.values()], axis=1),
        units,
        bootstrap.generator(),
        num_resamples=bootstrap.resamples,
    )
    quality = model.answer.quality
    for place, name in enumerate(others):
        ends = np.array([found.lows[place], found.highs[place]])
        rows.append(_difference(task, name, quality, float(found.values[place]), ends, lacking))
    return rows


def _difference(
    task: str, baseline: str, metric: str, value: float, ends: Floats, lacking: str
) -> DifferenceRow:
    return DifferenceRow(
        task=task,
        history="",
        baseline=baseline,
        metric=metric,
        difference=value,
        interval=Interval(low=float(ends[0]), high=float(ends[1])),
        too_few=lacking,
    )
