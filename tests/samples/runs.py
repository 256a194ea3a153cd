"""A trained model of the clinic's patients, once for all tests."""

import tempfile
from functools import cache
from pathlib import Path

from intertask import Recipe
from intertask.data.rows import Rows
from intertask.fitting.experiment import fit_streams
from intertask.fitting.fitted import FittedRows, on_rows
from intertask.recipe import MAIN
from intertask.samples.corpus import RowCorpus
from intertask.samples.facts import Facts

from .clinic import clinic

SECTIONS: dict[str, object] = {
    "name": "clinic",
    "width": 8,
    "encoder": {"kind": "attention", "num_layers": 1, "dropout": 0.0},
    "input": {"kind": "table", "dropout": 0.0, "num_bins": 8},
    "tasks": {"ill": {"kind": "category"}, "days": {"kind": "regression"}},
    "train": {"epochs": 15, "workers": 0, "learning_rate": 0.02, "batch_tokens": 256, "average": 0.5},
    "split": {"kind": "rows", "train": 0.6, "validation": 0.2},
    "evaluation": {"resamples": 100, "references": {"linear": {"kind": "linear", "strengths": [1.0]}}},
}


def recipe(**sections: object) -> Recipe:
    return Recipe.model_validate({**SECTIONS, **sections})


def trained(own: Recipe, rows: Rows) -> FittedRows:
    with tempfile.TemporaryDirectory() as folder:
        return on_rows(fit_streams(own, {MAIN: RowCorpus(rows)}, Path(folder))[MAIN])


@cache
def fitted() -> FittedRows:
    return trained(recipe(), clinic(400))


def facts_of(found: FittedRows) -> Facts:
    return Facts.of_model(found.model)
