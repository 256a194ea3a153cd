"""Two runs on the same targets: who is better, and is it more than chance.

Refuses runs whose protocols differ in anything: data, split, part, history, candidates, ties, query time.
"""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.config import Config
from intertask.errors import DataError, ProtocolError
from intertask.evaluate.results import Evaluation, Interval, Protocol
from intertask.evaluate.systems import ModelSystem
from intertask.metrics.bootstrap import difference_intervals
from intertask.metrics.ranking import per_query
from intertask.seeds import generator

KS = (5, 10, 20)
VALUES = "-squared_error"  # the metric of answers that are values
KEYS = ["task", "history"]
TARGETS: dict[str, type[pl.DataType]] = {"task": pl.String, "user": pl.Int64, "target": pl.Int64}
RANKS = TARGETS | {"history": pl.String, "rank": pl.Int64}
ANSWERS = TARGETS | {"metric": pl.String, "quality": pl.Float64, "label": pl.Float64}


class ComparedRow(Config):
    """One metric of two runs; higher is better for each, losses are negated."""

    task: str
    history: str  # empty for a task that ranks no items
    metric: str
    first: float
    second: float
    difference: float  # first minus second
    interval: Interval


class Comparison(Config):
    """Two runs, metric by metric."""

    first: str
    second: str
    protocol: Protocol
    rows: list[ComparedRow]


def compare(first: Path, second: Path, resamples: int = 2000) -> Comparison:
    """The differences of two evaluated runs, first minus second, paired by target.

    Args:
        first: The folder of a run.
        second: The folder of another.
        resamples: Of the bootstrap.

    Raises:
        ProtocolError: They were not measured in the same way, or a task of one name asks for different
            targets or labels; names what differs.
        DataError: One has not been evaluated, or they have no task in common.
    """
    evaluations = [Evaluation.read(folder / "evaluation.json") for folder in (first, second)]
    _refuse_other_protocol(evaluations[0].protocol, evaluations[1].protocol, second)
    tables = [
        [read(folder, evaluation) for folder, evaluation in zip((first, second), evaluations, strict=True)]
        for read in (_ranks, _answers)
    ]
    if all(one.join(two, on=KEYS, how="semi").is_empty() for one, two in tables):
        raise DataError(str(second), "a task of the same name as in the other run", "none in common")
    rows = []
    for one, two in tables:
        pairs = one.join(two, on=[*KEYS, "target"], suffix="_second")
        _refuse_other_targets(one, two, pairs, second)
        _refuse_other_questions(pairs, second)
        for (task, history), group in sorted(pairs.group_by(*KEYS, maintain_order=True)):
            rows += _rows(str(task), str(history), group, resamples)
    return Comparison(
        first=_name(first, evaluations[0]), second=_name(second, evaluations[1]),
        protocol=evaluations[0].protocol, rows=rows,
    )  # fmt: skip


def per_target(folder: Path, metric: str = "ndcg@10") -> pl.DataFrame:
    """What each target of an evaluated run was worth to the model, higher is better.

    Args:
        folder: Of the run.
        metric: Of next-item tasks; the others have one each.

    Returns:
        Columns task, history, user, target, metric, value; and label where the right answer is one of a few.

    Raises:
        DataError: The run has not been evaluated.
    """
    evaluation = Evaluation.read(folder / "evaluation.json")
    ranks, answers = _ranks(folder, evaluation), _answers(folder, evaluation)
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


def _rows(task: str, history: str, group: pl.DataFrame, resamples: int) -> list[ComparedRow]:
    """The metrics of one task, paired by target."""
    one, two = _metrics(group, ""), _metrics(group, "_second")
    found = difference_intervals(
        np.stack(list(one.values()), 1), np.stack(list(two.values()), 1), group["user"].to_numpy(),
        generator(0, "compare"), num_resamples=resamples,
    )  # fmt: skip
    return [
        ComparedRow(
            task=task, history=history, metric=metric,
            first=float(one[metric].mean()), second=float(two[metric].mean()),
            difference=float(found.values[place]),
            interval=Interval(low=float(found.lows[place]), high=float(found.highs[place])),
        )
        for place, metric in enumerate(one)
    ]  # fmt: skip


def _metrics(group: pl.DataFrame, suffix: str) -> dict[str, NDArray[np.float64]]:
    if f"rank{suffix}" in group.columns:
        return per_query(group[f"rank{suffix}"].to_numpy(), KS)
    return {group["metric"][0]: group[f"quality{suffix}"].to_numpy()}


def _name(folder: Path, evaluation: Evaluation) -> str:
    origin = evaluation.provenance
    return f"{evaluation.model} ({folder.name}, seed {origin.seed}, commit {origin.commit})"


def _ranks(folder: Path, evaluation: Evaluation) -> pl.DataFrame:
    return _model(folder / "ranks.parquet", RANKS, there=bool(evaluation.rankings))


def _answers(folder: Path, evaluation: Evaluation) -> pl.DataFrame:
    found = _model(folder / "answers.parquet", ANSWERS, there=bool(evaluation.responses))
    return found.with_columns(history=pl.lit(""))


def _model(file: Path, schema: dict[str, type[pl.DataType]], *, there: bool) -> pl.DataFrame:
    """What the model did with each target; no rows where the run has no task of that sort."""
    if not there:
        return pl.DataFrame(schema=schema)
    try:
        found = pl.read_parquet(file, glob=False).filter(pl.col("system") == ModelSystem.name)
        return found.select(pl.col(name).cast(kind) for name, kind in schema.items())
    except (OSError, pl.exceptions.PolarsError) as error:
        told = str(error).partition("\n")[0]
        raise DataError(str(file), "what an evaluation wrote", told, "run `intertask evaluate`") from None


def _refuse_other_targets(
    first: pl.DataFrame, second: pl.DataFrame, pairs: pl.DataFrame, folder: Path
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
                place, f"the {one:,} targets of the other run",
                f"{two:,}, of which {common:,} are the same", "does the task ask for another behaviour?",
            )  # fmt: skip


def _refuse_other_questions(pairs: pl.DataFrame, folder: Path) -> None:
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
                str(row[f"{column}_second"]), advice,
            )  # fmt: skip


def _refuse_other_protocol(first: Protocol, second: Protocol, folder: Path) -> None:
    for name, value in first.model_dump().items():
        other = getattr(second, name)
        if value != other:
            raise ProtocolError(
                f"{folder} {name}", f"{value!r}, as in the other run", f"{other!r}",
                "evaluate both in the same way before comparing them",
            )  # fmt: skip
