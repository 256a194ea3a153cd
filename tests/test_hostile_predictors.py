"""Model folders of rows that were changed on purpose, with checksums that fit: refused, or answered well."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from intertask import Predictor
from intertask.data.rows import Rows
from intertask.errors import ArtefactError, RequestError
from tests import hostile
from tests.fuzzing import fuzz
from tests.samples.clinic import ROLES, patients
from tests.samples.runs import recipe

SHORT = {"epochs": 1, "workers": 0}


@cache
def models() -> list[Path]:
    """Good ones: columns as places; and layers, several labels, and a class that may be left open."""
    place = Path(tempfile.mkdtemp(prefix="hostile-"))
    given = patients(60).with_columns(
        signs=pl.when(pl.int_range(60) % 3 == 0).then(pl.lit("a|b")).otherwise(pl.lit("b"))
    )
    roles = ROLES | {"labels": ["ill", "days", "signs"], "several": ["signs"]}
    rows = Rows.read(given, **roles)  # type: ignore[arg-type]
    Predictor(recipe(train=SHORT)).fit(rows).save(place / "places")
    everything = recipe(
        input={"kind": "table", "num_layers": 1, "inner": 8, "numbers": "quantile"},
        encoder="none",
        communication={"kind": "gated_slots", "close_edges": False},
        tasks={
            "ill": {"kind": "category", "at_least": 0.6},
            "days": {"kind": "regression"},
            "signs": {"kind": "category", "several": True},
        },
        train=SHORT,
    )
    Predictor(everything).fit(rows).save(place / "layers")
    return sorted(place.iterdir())


def load_harmed(random: np.random.Generator) -> None:
    """Change one of the models, load it, and ask it everything."""
    with tempfile.TemporaryDirectory(prefix="h") as place:
        folder = Path(place) / "model"
        good = models()
        shutil.copytree(good[random.integers(len(good))], folder)
        hostile.harm(folder, random)
        ask_everything(Predictor.load(folder))


def ask_everything(model: Predictor) -> None:
    """Every answer must be right in form."""
    kinds = model.facts.columns
    odd = {
        name: [1e30, None, -3.5] if kind == "number" else ["strong", None, "never"]
        for name, kind in kinds.items()
    }
    if not kinds:
        return
    found = model.predict(
        pl.DataFrame(odd, schema={n: pl.Float64 if k == "number" else pl.String for n, k in kinds.items()})
    )
    assert found.height == 3
    for task, classes in model.classes.items():
        shares = found.select(f"{task}={name}" for name in classes).to_numpy()
        assert np.isfinite(shares).all() and (shares >= 0).all() and (shares <= 1).all()
        if not getattr(model.recipe.tasks[task], "several", False):
            assert np.allclose(shares.sum(1), 1, atol=1e-4)
    for task in model.recipe.tasks.keys() - model.classes.keys():
        assert found[task].is_finite().all()


def test_a_changed_model_of_rows_is_refused_or_answers_rightly() -> None:
    models()  # trained outside of the time of the first input
    fuzz(load_harmed, inputs=150, allowed=(ArtefactError, RequestError))


def test_a_model_of_rows_that_nobody_changed_answers_rightly() -> None:
    for folder in models():
        ask_everything(Predictor.load(folder))
