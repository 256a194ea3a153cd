"""A first recipe for a table of rows whose labels somebody has named."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from intertask.data.guesses import Look
from intertask.data.rows import Rows
from intertask.errors import RequestError
from intertask.fitting.experiment import refuse_unfit
from intertask.model import is_reserved
from intertask.options.config import parse
from intertask.proposals.text import beside, key_lines, reading, toml
from intertask.recipe import MAIN, Recipe
from intertask.samples.corpus import RowCorpus
from intertask.terminal.printable import printable

MANY = 20  # different numbers in a label, from which on it is a number to predict and no class
SMALL, LARGE = 5_000, 20_000  # rows below which the model is small, and from which on batches are large
FEW_ROWS = ("[encoder]", 'kind = "attention"', "num_layers = 1", "dropout = 0.3  # the fewer rows, the more")
# What did best on Census Income, in a tenth of the time of attention (docs/lab/notebook.md).
MANY_ROWS = (
    "[input]",
    'kind = "table"',
    "num_bins = 48",
    "dropout = 0.3  # the fewer rows, the more",
    "num_layers = 2  # the columns side by side; 0 for a place each, which an encoder compares",
    "inner = 384",
    "inner_dropout = 0.4",
    "",
    "[encoder]",
    'kind = "none"',
)
TRAIN_FEW = ("[train]", "learning_rate = 1e-3", "patience = 5")
TRAIN_MANY = (
    "[train]",
    "epochs = 16",
    "patience = 5",
    "learning_rate = 1e-3",
    "weight_decay = 0.1",
    "warmup_share = 0.1",
)
BATCH = 256  # rows of a batch, where there are so many that it needs no smaller ones
_NAME = re.compile(r"[\W]+")


def first_rows_recipe(file: Path, table: Look, labels: Sequence[str]) -> tuple[str, Rows]:
    """A recipe that trains, evaluates and predicts as it is, and the rows that it reads.

    Args:
        file: Where it will be written, beside which its paths are relative.
        table: The rows.
        labels: Columns to predict.

    Raises:
        DataError: The table cannot be read, or nothing can be learned of it.
        RequestError: A label is no column.
    """
    for label in labels:
        if label not in table.table.schema:
            known = ", ".join(table.table.schema)[:300]
            raise RequestError("--label", f"one of the columns {known}", repr(label))
    section: dict[str, object] = {
        name: own
        for name, own in {"path": beside(file, table.path), **reading(table)}.items()
        if own is not None
    }
    options = {name: own for name, own in section.items() if name != "path"}
    rows = Rows.read(table.path, labels=labels, **options)  # type: ignore[arg-type]
    section |= {"labels": list(labels), "categories": list(rows.categories), "numbers": list(rows.numbers)}
    text = _text(file, section, rows)
    recipe = parse(Recipe, tomllib.loads(text), str(file))
    refuse_unfit(recipe, {MAIN: RowCorpus(rows)})
    return text, rows


def _text(file: Path, section: dict[str, object], rows: Rows) -> str:
    small = len(rows) < SMALL
    lines = [
        f"# A first recipe, made from {printable(str(section['path']))}:",
        f"# {len(rows):,} rows with {len(rows.inputs.columns):,} columns that are read.",
        f"# Each line may be changed; `intertask data {printable(file.name)}` says whether it fits.",
        "",
        "width = 32",
        "",
        "[data.rows]",
        *key_lines(section),
        "",
        "[split]",
        'kind = "rows"  # groups_out where people or places are new; walk_forward where time matters',
        "",
        *(FEW_ROWS if small else MANY_ROWS),
    ]
    for label in rows.labels.columns:
        name = _NAME.sub("_", label).strip("_") or "label"
        name = f"{name}_" if is_reserved(name) else name
        kind = _kind(rows.labels[label])
        lines += ["", f"[tasks.{name if name.isascii() else toml(name)}]", f'kind = "{kind}"']
        lines += [f"label = {toml(label)}"] if name != label else []
    lines += ["", *(TRAIN_FEW if small else TRAIN_MANY)]
    if len(rows) >= LARGE:
        lines += [f"batch_tokens = {BATCH * len(rows.inputs.columns)}  # {BATCH} rows"]
    return "\n".join(lines) + "\n"


def _kind(label: pl.Series) -> str:
    numbers = label.cast(pl.Float64, strict=False)
    counts = numbers.null_count() == label.null_count() and label.n_unique() > MANY
    return "regression" if counts else "category"
