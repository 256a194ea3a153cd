"""Two runs on the same targets: who is better, and is it more than chance.

Refuses runs whose protocols differ in anything: data, split, part, history, candidates, ties, query time.
"""

from pathlib import Path

import numpy as np
import polars as pl

from intertask.config import Config
from intertask.errors import DataError, ProtocolError
from intertask.evaluate.results import Evaluation, Interval, Protocol
from intertask.evaluate.systems import ModelSystem
from intertask.metrics.bootstrap import difference_intervals
from intertask.metrics.ranking import per_query
from intertask.seeds import generator

KS = (5, 10, 20)


class ComparedRow(Config):
    """One metric of two runs."""

    task: str
    history: str
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
            targets; names what differs.
        DataError: One has not been evaluated, or they have no task in common.
    """
    evaluations = [Evaluation.read(folder / "evaluation.json") for folder in (first, second)]
    _refuse_other_protocol(evaluations[0].protocol, evaluations[1].protocol, second)
    ranks = _ranks(first), _ranks(second)
    pairs = ranks[0].join(ranks[1], on=["task", "history", "target"], suffix="_second")
    if pairs.is_empty():
        raise DataError(str(second), "a task of the same name as in the other run", "none in common")
    _refuse_other_targets(*ranks, pairs, second)
    rows = []
    for (task, history), group in sorted(pairs.group_by("task", "history", maintain_order=True)):
        one = per_query(group["rank"].to_numpy(), KS)
        two = per_query(group["rank_second"].to_numpy(), KS)
        found = difference_intervals(
            np.stack(list(one.values()), 1), np.stack(list(two.values()), 1), group["user"].to_numpy(),
            generator(0, "compare"), num_resamples=resamples,
        )  # fmt: skip
        rows += [
            ComparedRow(
                task=str(task), history=str(history), metric=metric,
                first=float(one[metric].mean()), second=float(two[metric].mean()),
                difference=float(found.values[place]),
                interval=Interval(low=float(found.lows[place]), high=float(found.highs[place])),
            )
            for place, metric in enumerate(one)
        ]  # fmt: skip
    return Comparison(
        first=_name(first, evaluations[0]), second=_name(second, evaluations[1]),
        protocol=evaluations[0].protocol, rows=rows,
    )  # fmt: skip


def _name(folder: Path, evaluation: Evaluation) -> str:
    return f"{evaluation.model} ({folder.name}, seed {evaluation.provenance.seed})"


def _ranks(folder: Path) -> pl.DataFrame:
    try:
        ranks = pl.read_parquet(folder / "ranks.parquet")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            str(folder / "ranks.parquet"),
            "the ranks of an evaluated run",
            str(error),
            "run `intertask evaluate`; a run without a next-item task has no ranks to compare",
        ) from None
    return ranks.filter(pl.col("system") == ModelSystem.name).drop("system")


def _refuse_other_targets(
    first: pl.DataFrame, second: pl.DataFrame, pairs: pl.DataFrame, folder: Path
) -> None:
    """Two tasks of one name may ask for different behaviours; what they share is neither's question."""
    keys = ["task", "history"]
    sizes = [frame.group_by(keys).len() for frame in (first, second, pairs)]
    table = (
        sizes[0]
        .join(sizes[1], on=keys, suffix="_second")
        .join(sizes[2], on=keys, how="left", suffix="_common")
    )
    for task, history, one, two, common in table.sort(keys).fill_null(0).iter_rows():
        if not one == two == common:
            raise ProtocolError(
                f"{folder} task {task}, history {history}", f"the {one:,} targets of the other run",
                f"{two:,}, of which {common:,} are the same", "does the task ask for another behaviour?",
            )  # fmt: skip


def _refuse_other_protocol(first: Protocol, second: Protocol, folder: Path) -> None:
    for name, value in first.model_dump().items():
        other = getattr(second, name)
        if value != other:
            raise ProtocolError(
                f"{folder} {name}", f"{value!r}, as in the other run", f"{other!r}",
                "evaluate both in the same way before comparing them",
            )  # fmt: skip
