"""One table of what became of each target: the rank of the right item, or how good the answer was.

A row is a system, a task, a setting (how the history was treated; empty where there is none), the unit that
is resampled (a user, a document, a day), the target, and a metric with its value. `label` is the truth where
it is a number. Intervals and comparisons of runs are drawn from this table.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.answers.probability import Probability
from intertask.data.parquet import read_parquet
from intertask.errors import DataError, IntertaskError
from intertask.metrics.direction import MAIN_METRIC
from intertask.metrics.ranking import per_query

FILE = "targets.parquet"
RANKS, ANSWERS = "ranks.parquet", "answers.parquet"  # what older versions wrote in its place
RANK = "rank"  # the metric of which all metrics of rankings are made
QUESTION = ["task", "setting"]
SCHEMA: dict[str, type[pl.DataType]] = {
    "system": pl.String,
    "task": pl.String,
    "setting": pl.String,
    "unit": pl.Int64,
    "target": pl.Int64,
    "metric": pl.String,
    "value": pl.Float64,
    "label": pl.Float64,
}


def rows(
    system: str,
    task: str,
    setting: str,
    units: NDArray[np.integer],
    targets: NDArray[np.integer],
    metric: str,
    values: NDArray[np.number],
    labels: NDArray[np.generic] | None = None,
) -> pl.DataFrame:
    """The rows of one system and one question.

    Args:
        system: Which system.
        task: Which task.
        setting: How it was asked.
        units: [n], whose targets they are.
        targets: [n], the same number for the same target in every run on these data.
        metric: What `values` are; `RANK`, or a quality of which higher is better.
        values: [n].
        labels: [n], the truth where it is a number.
    """
    num = len(targets)
    return pl.DataFrame(
        {
            "system": pl.repeat(system, num, eager=True),
            "task": pl.repeat(task, num, eager=True),
            "setting": pl.repeat(setting, num, eager=True),
            "unit": units.astype(np.int64),
            "target": targets.astype(np.int64),
            "metric": pl.repeat(metric, num, eager=True),
            "value": values.astype(np.float64),
            "label": pl.repeat(None, num, dtype=pl.Float64, eager=True)
            if labels is None
            else labels.astype(np.float64),
        },
        schema=SCHEMA,
    )


def together(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Several tables as one."""
    return pl.concat(tables) if tables else pl.DataFrame(schema=SCHEMA)


def of_system(table: pl.DataFrame, system: str) -> pl.DataFrame:
    """The rows of one system; columns that are none of the table's go.

    Raises:
        PolarsError: It is another table.
    """
    found = table.filter(pl.col("system") == system)
    return found.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def measured(group: pl.DataFrame, ks: Sequence[int], suffix: str = "") -> dict[str, NDArray[np.float64]]:
    """The metrics of targets of one question, higher is better: of ranks all of rankings at each cut."""
    metric, values = group["metric"][0], group[f"value{suffix}"].to_numpy()
    return per_query(values.astype(np.int64), ks) if metric == RANK else {metric: values}


def with_metric(table: pl.DataFrame, metric: str = MAIN_METRIC) -> pl.DataFrame:
    """The same table with a metric of rankings in place of ranks."""
    name, _, k = metric.partition("@")
    ranked, others = table.filter(pl.col("metric") == RANK), table.filter(pl.col("metric") != RANK)
    values = per_query(ranked["value"].to_numpy().astype(np.int64), (int(k),))[f"{name}@{k}"]
    return pl.concat([ranked.with_columns(metric=pl.lit(metric), value=pl.Series(values)), others])


def classes(group: pl.DataFrame) -> NDArray[np.float64] | None:
    """The right answers of targets of one question where each is one of a few; None for values and items."""
    likely = group["metric"][0] == Probability.quality and not group["label"].is_null().any()
    return group["label"].to_numpy() if likely else None


def chances(group: pl.DataFrame, suffix: str = "") -> NDArray[np.float64]:
    """The probability of yes of each target of a question that asks for yes or no, from what was right."""
    values, labels = group[f"value{suffix}"].to_numpy(), group[f"label{suffix}"].to_numpy()
    found: NDArray[np.float64] = np.where(labels > 0, np.exp(values), -np.expm1(values))
    return found


def read(file: Path) -> pl.DataFrame:
    """The table of an evaluation.

    Raises:
        DataError: It is missing, broken, or another one.
    """
    try:
        return _read(file).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    except pl.exceptions.PolarsError as error:
        raise _foreign(file, error) from None


def read_older(folder: Path, *, ranked: bool, answered: bool) -> pl.DataFrame:
    """The table of an evaluation of an older version, made of its two.

    Args:
        folder: Of the run.
        ranked: Whether the evaluation has tasks that rank.
        answered: Whether it has others.

    Raises:
        DataError: One of them is missing, broken, or another one.
    """
    found = []
    if ranked:
        found.append(_older(folder / RANKS, setting="history", metric=None, value="rank", label=None))
    if answered:
        found.append(_older(folder / ANSWERS, setting=None, metric="metric", value="quality", label="label"))
    return together(found)


def _older(
    file: Path, *, setting: str | None, metric: str | None, value: str, label: str | None
) -> pl.DataFrame:
    table = _read(file)
    columns = {
        "system": pl.col("system"),
        "task": pl.col("task"),
        "setting": pl.lit("") if setting is None else pl.col(setting),
        "unit": pl.col("user"),
        "target": pl.col("target"),
        "metric": pl.lit(RANK) if metric is None else pl.col(metric),
        "value": pl.col(value),
        "label": pl.lit(None) if label is None else pl.col(label),
    }
    try:
        return table.select(own.cast(SCHEMA[name]).alias(name) for name, own in columns.items())
    except pl.exceptions.PolarsError as error:
        raise _foreign(file, error) from None


def _read(file: Path) -> pl.DataFrame:
    try:
        return read_parquet(file)
    except (OSError, IntertaskError, pl.exceptions.PolarsError) as error:
        raise _foreign(file, error) from None


def _foreign(file: Path, error: Exception) -> DataError:
    told = str(error).partition("\n")[0]
    return DataError(str(file), "what an evaluation wrote", told, "run `intertask evaluate`")
