"""Runs on the same targets: who is better, and is it more than chance.

Refuses runs whose protocols differ in anything: data, split, part, history, candidates, ties, query time.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import computed_field

from intertask.config import Config
from intertask.data.parquet import read_parquet
from intertask.errors import DataError, IntertaskError, ProtocolError, RequestError
from intertask.evaluate import kept
from intertask.evaluate.config import MODEL
from intertask.evaluate.frames import frame_of
from intertask.evaluate.results import Evaluation, Found, Interval, Protocol
from intertask.evaluate.sufficiency import in_words, too_few
from intertask.files import read_whole
from intertask.metrics.bootstrap import SIGNIFICANT, difference_intervals, holm
from intertask.metrics.direction import MAIN_METRIC, rising
from intertask.metrics.ranking import per_query
from intertask.seeds import generator

KS = (5, 10, 20)
VALUES = rising("squared_error")  # the metric of answers that are values
KEYS = ["task", "history"]
TARGETS: dict[str, type[pl.DataType]] = {"task": pl.String, "user": pl.Int64, "target": pl.Int64}
RANKS = TARGETS | {"history": pl.String, "rank": pl.Int64}
ANSWERS = TARGETS | {"metric": pl.String, "quality": pl.Float64, "label": pl.Float64}


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
    protocol: Protocol
    rows: list[ComparedRow]

    def of(self, metric: str = MAIN_METRIC) -> list[ComparedRow]:
        """The rows of one metric of rankings, or of one of the responses; of the main one, with all those."""
        return [
            row for row in self.rows if row.metric == metric or (metric == MAIN_METRIC and not row.history)
        ]

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
    """One side: the model's ranks and answers, and what errors and tables call it."""

    evaluation: Evaluation
    ranks: pl.DataFrame
    answers: pl.DataFrame
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
            frames = run.targets.ranks, run.targets.answers
            ranks, answers = (
                _own(frame, kinds) for frame, kinds in zip(frames, (RANKS, ANSWERS), strict=True)
            )
            return cls(run, ranks, _unasked(answers), f"evaluation {place + 1}", run.model)
        folder = Path(run)
        evaluation, ranks, answers = _read(folder)
        return cls(evaluation, ranks, answers, str(folder), folder.resolve().name)

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
    tables = [(first.ranks, other.ranks), (first.answers, other.answers)]
    if all(one.join(two, on=KEYS, how="semi").is_empty() for one, two in tables):
        raise DataError(other.where, "a task of the same name as in the other run", "none in common")
    rows = []
    for one, two in tables:
        pairs = one.join(two, on=[*KEYS, "target"], suffix="_second")
        _refuse_other_targets(one, two, pairs, other.where)
        _refuse_other_questions(pairs, other.where)
        for (task, history), group in sorted(pairs.group_by(*KEYS, maintain_order=True)):
            rows += _rows(name, str(task), str(history), group, resamples)
    return rows


def _corrected(rows: list[ComparedRow]) -> list[ComparedRow]:
    """P values corrected over all questions that are asked with one metric; a response has only one."""
    corrected: dict[int, float] = {}
    for metric in dict.fromkeys([MAIN_METRIC, *(row.metric for row in rows if row.history)]):
        family = [place for place, row in enumerate(rows) if not row.history or row.metric == metric]
        found = holm(np.array([rows[place].p_value for place in family]))
        own = [place for place in family if rows[place].history or metric == MAIN_METRIC]
        values = dict(zip(family, found.tolist(), strict=True))
        corrected |= {place: values[place] for place in own}
    return [row.model_copy(update={"p_value": corrected[place]}) for place, row in enumerate(rows)]


def per_target(folder: Path, metric: str = MAIN_METRIC) -> pl.DataFrame:
    """What each target of an evaluated run was worth to the model, higher is better.

    Args:
        folder: Of the run.
        metric: Of next-item tasks; the others have one each.

    Returns:
        Columns task, history, user, target, metric, value; and label where the right answer is one of a few.

    Raises:
        DataError: The run has not been evaluated.
    """
    _, ranks, answers = _read(folder)
    name, _, k = metric.partition("@")
    values = per_query(ranks["rank"].to_numpy(), (int(k),))[f"{name}@{k}"]
    columns = ["task", "history", "user", "target", "metric", "value", "label"]
    nothing = pl.lit(None, pl.Float64)
    ranked = ranks.with_columns(metric=pl.lit(metric), value=pl.Series(values), label=nothing)
    of_values = pl.col("metric") == VALUES
    answered = answers.rename({"quality": "value"}).with_columns(
        label=pl.when(of_values).then(nothing).otherwise("label")
    )
    return pl.concat([ranked.select(columns), answered.select(columns)])


def _rows(run: str, task: str, history: str, group: pl.DataFrame, resamples: int) -> list[ComparedRow]:
    """The metrics of one task, paired by target."""
    one, two = _metrics(group, ""), _metrics(group, "_second")
    users = group["user"].to_numpy()
    found = difference_intervals(
        np.stack(list(one.values()), 1),
        np.stack(list(two.values()), 1),
        users,
        generator(0, "compare"),
        num_resamples=resamples,
    )
    of_values = history or VALUES in one
    lacking = too_few(users, None if of_values else group["label"].to_numpy())
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


def _metrics(group: pl.DataFrame, suffix: str) -> dict[str, NDArray[np.float64]]:
    if f"rank{suffix}" in group.columns:
        return per_query(group[f"rank{suffix}"].to_numpy(), KS)
    return {group["metric"][0]: group[f"quality{suffix}"].to_numpy()}


def _read(folder: Path) -> tuple[Evaluation, pl.DataFrame, pl.DataFrame]:
    """The evaluation in a run's folder, with its ranks and answers: of one evaluation, all of them."""

    def read() -> tuple[Evaluation, pl.DataFrame, pl.DataFrame]:
        evaluation = Evaluation.read(folder / kept.FILE)
        kept.refuse_torn(evaluation, folder)
        ranks = _model(folder / kept.RANKS, RANKS, there=bool(evaluation.rankings))
        answers = _model(folder / kept.ANSWERS, ANSWERS, there=bool(evaluation.responses))
        return evaluation, ranks, _unasked(answers)

    return read_whole(folder, read)


def _unasked(answers: pl.DataFrame) -> pl.DataFrame:
    """Tasks that rank no items know no way to treat the history."""
    return answers.with_columns(history=pl.lit(""))


def _model(file: Path, schema: dict[str, type[pl.DataType]], *, there: bool) -> pl.DataFrame:
    """What the model did with each target; no rows where the run has no task of that sort."""
    try:
        return _own(read_parquet(file) if there else None, schema)
    except (OSError, IntertaskError, pl.exceptions.PolarsError) as error:
        told = str(error).partition("\n")[0]
        raise DataError(str(file), "what an evaluation wrote", told, "run `intertask evaluate`") from None


def _own(frame: pl.DataFrame | None, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """The model's rows."""
    if frame is None:
        return pl.DataFrame(schema=schema)
    found = frame.filter(pl.col("system") == MODEL)
    return found.select(pl.col(name).cast(kind) for name, kind in schema.items())


def _refuse_other_targets(
    first: pl.DataFrame, second: pl.DataFrame, pairs: pl.DataFrame, folder: str
) -> None:
    """Two tasks of one name may ask for different behaviours; what they share is neither's question."""
    sizes = [frame.group_by(KEYS).len() for frame in (first, second, pairs)]
    table = (
        sizes[0]
        .join(sizes[1], on=KEYS, suffix="_second")
        .join(sizes[2], on=KEYS, how="left", suffix="_common")
    )
    for task, history, one, two, common in table.sort(KEYS).fill_null(0).iter_rows():
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
        if column not in pairs.columns:
            continue
        other = pairs.filter(pl.col(column) != pl.col(f"{column}_second"))
        if not other.is_empty():
            row = other.row(0, named=True)
            raise ProtocolError(
                f"{folder} task {row['task']}",
                f"{column} {row[column]} of target {row['target']}, as in the other run",
                str(row[f"{column}_second"]),
                advice,
            )


def _refuse_other_protocol(first: Protocol, second: Protocol, folder: str) -> None:
    for name, value in first.model_dump().items():
        other = getattr(second, name)
        if value != other:
            raise ProtocolError(
                f"{folder} {name}",
                f"{value!r}, as in the other run",
                f"{other!r}",
                "evaluate both in the same way before comparing them",
            )
