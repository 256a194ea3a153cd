"""Inputs that tell a label: copies of it, which are refused, and others that give it away."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from intertask.data.rows import Rows
from intertask.errors import LeakageError
from intertask.model import ModelConfig
from intertask.samples.facts import row_task

NEARLY_ALL = 0.8  # of the labelled rows; a copy of the label may have holes
BY_CHANCE = 20  # rows; of fewer, two columns may go together without a reason
FEW = 0.1  # different values for each row; where there are more, as names have, they go with anything
EXACT = 1e-5  # share of a number's spread within which a line through another number meets it


@dataclass(frozen=True)
class Copy:
    """An input that is a label under another name.

    Args:
        task: That asks for the label.
        column: The input.
        label: The column of the label.
        recoded: Whether it has other words or numbers for the classes, one for each.
    """

    task: str
    column: str
    label: str
    recoded: bool


@dataclass(frozen=True)
class Told:
    """An input that gives a label away.

    Args:
        text: Which, of what task, and how.
        advice: What to ask oneself.
    """

    text: str
    advice: str = "Is it known before the answer is? If not, take it out of the inputs."


def labels_among_inputs(config: ModelConfig, training: Rows) -> Iterator[Copy]:
    """Inputs that have the value of a label, or one value for each class, in every row that has both."""
    for name, label, column in _labels(config, training):
        classes = column.drop_nulls().n_unique()
        if classes < 2:
            continue
        same = {pl.String: column, pl.Float32: column.cast(pl.Float32, strict=False)}
        for other, kind in _read(training).schema.items():
            given = training.inputs[other]
            both = column.is_not_null() & given.is_not_null()
            if both.sum() < max(2, NEARLY_ALL * column.count()):
                continue
            if bool((same[type(kind)] == given).filter(both).fill_null(False).all()):
                yield Copy(name, other, label, recoded=False)
            elif both.sum() >= BY_CHANCE and _one_for_each(given.filter(both), column.filter(both)):
                yield Copy(name, other, label, recoded=True)


def told_labels(config: ModelConfig, training: Rows) -> Iterator[Told]:
    """Inputs each of whose few values goes with one class, and numbers that lie on a line with a label."""
    for name, label, column in _labels(config, training):
        for other in (*training.categories, *training.numbers):
            pairs = pl.DataFrame({"input": training.inputs[other], "label": column}).drop_nulls()
            words, classes = pairs["input"].n_unique(), pairs["label"].n_unique()
            if 2 <= classes < words < FEW * len(pairs) and pairs.n_unique() == words:
                yield Told(
                    f"Task {name}: the input {other!r} tells {label!r} of all training rows: each of its "
                    f"{words:,} values goes with one class."
                )
        if config.tasks[name].answer.probable:
            continue
        for other in training.numbers:
            if _on_a_line(training.inputs[other], column.cast(pl.Float64, strict=False)):
                yield Told(
                    f"Task {name}: the input {other!r} tells {label!r} of all training rows: the one is the "
                    "other times a number, plus a number."
                )


def refuse_labels_among_inputs(config: ModelConfig, training: Rows) -> None:
    """Refuse rows of which an input is a label under another name, before anything is trained.

    Raises:
        LeakageError: Names the first one.
    """
    for copy in labels_among_inputs(config, training):
        how = "one value for each class of" if copy.recoded else "the values of"
        raise LeakageError(
            f"input {copy.column!r}",
            f"no copy of what the task {copy.task} asks for",
            f"{how} the label {copy.label!r} in all training rows",
            "take it out of the inputs",
        )


def _labels(config: ModelConfig, training: Rows) -> Iterator[tuple[str, str, pl.Series]]:
    """Each task with its label, where a row has one."""
    for name, task in config.tasks.items():
        label = row_task(task).column(name, training)
        if training.labels.schema[label] == pl.String:
            yield name, label, training.labels[label]


def _read(training: Rows) -> pl.DataFrame:
    return training.inputs.select([*training.categories, *training.numbers])


def _one_for_each(given: pl.Series, classes: pl.Series) -> bool:
    """Whether each value goes with one class, and each class with one value."""
    num = classes.n_unique()
    if num > FEW * len(classes) or given.n_unique() != num:
        return False
    return pl.DataFrame({"given": given, "class": classes}).n_unique() == num


def _on_a_line(given: pl.Series, truth: pl.Series) -> bool:
    both = pl.DataFrame({"x": given.cast(pl.Float64), "y": truth}).drop_nulls()
    x, y = (own - own.mean() for own in (both["x"].to_numpy(), both["y"].to_numpy()))
    if len(both) < BY_CHANCE or not x.any() or not y.any() or not np.isfinite(y).all():
        return False
    left = y - x * (x @ y) / (x @ x)
    return bool(np.abs(left).max() <= EXACT * y.std())
