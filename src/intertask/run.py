"""The folder of a run, from recipe to report: what `train` and `evaluate` do, for programs and the terminal.

recipe.toml      as the user wrote it      recipe.json      complete, defaults included
journal.jsonl    every step's losses       checkpoints/     to go on from
model/           the artefact              evaluation.json, ranks.parquet, report.html, plots/
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import scipy.sparse

from intertask import source
from intertask.data.catalogue import Catalogue
from intertask.data.corpus import Corpus
from intertask.data.prepare import prepare
from intertask.datasets import Loaded
from intertask.errors import DataError, ProtocolError
from intertask.evaluate.evaluation import Evaluator
from intertask.evaluate.results import Evaluation
from intertask.experiment import Fitted
from intertask.files import written_aside
from intertask.recipe import Recipe
from intertask.recommender import Recommender


@dataclass(frozen=True)
class Data:
    """What a recipe's data became."""

    loaded: Loaded
    corpus: Corpus

    @classmethod
    def of(cls, recipe: Recipe, beside: Path) -> "Data":
        """Load and prepare."""
        loaded = source.load(recipe.data, beside)
        return cls(loaded, prepare(loaded.events))


def train(file: Path, folder: Path, seed: int | None = None) -> Fitted:
    """Train as a recipe says, or go on with a run that was stopped, and save the model.

    Args:
        file: The recipe.
        folder: Of the run.
        seed: In place of the recipe's.
    """
    recipe = Recipe.read(file)
    if seed is not None:
        recipe = recipe.model_copy(update={"seed": seed})
    data = Data.of(recipe, file.parent)
    recommender = Recommender(recipe).fit(data.corpus, data.loaded.catalogue, run=folder)
    recommender.save(folder / "model")
    with written_aside(folder / "recipe.toml") as aside:
        shutil.copyfile(file, aside)
    with written_aside(folder / "origin") as aside:  # relative paths in the recipe start there
        aside.write_text(str(file.parent.resolve()), encoding="utf-8")
    assert recommender.fitted is not None
    return recommender.fitted


def evaluate(folder: Path, part: Literal["validation", "test"] = "test") -> Evaluation:
    """Evaluate a trained run and write what was found beside it.

    Raises:
        ProtocolError: The data are no longer those that the model was trained on.
        DataError: The folder holds no trained run.
    """
    if not (folder / "model" / "manifest.json").exists():
        raise DataError(
            str(folder), "the folder of a trained run", "none", "train one with `intertask train`"
        )
    model = Recommender.load(folder / "model")
    origin = folder / "origin"
    beside = Path(origin.read_text(encoding="utf-8")) if origin.exists() else folder
    data = Data.of(model.recipe, beside)
    _refuse_other_data(model, data.corpus, folder)
    evaluator = Evaluator(
        model.recipe.name,
        model.model,
        data.corpus,
        model.recipe.split.split(data.corpus.sequences),
        model.recipe.evaluation,
        model.recipe.seed,
        item_tags(data.loaded.catalogue, data.corpus),
        part,
    )
    found = evaluator.run()
    if evaluator.ranks:
        evaluator.write_ranks(folder / "ranks.parquet")
    found.write(folder / "evaluation.json")
    return found


def item_tags(catalogue: Catalogue | None, corpus: Corpus) -> scipy.sparse.csr_matrix | None:
    """Tags of the items as columns of ones, [items, tags]; None where the catalogue has none."""
    if catalogue is None or not catalogue.tags:
        return None
    tags = catalogue.tags_of(corpus.items.ids)
    exploded = tags.to_frame("tag").with_row_index("item").explode("tag").drop_nulls()
    if exploded.is_empty():
        return None
    codes = exploded["tag"].rank("dense").to_numpy() - 1
    ones = np.ones(len(codes), np.float32)
    return scipy.sparse.csr_matrix(
        (ones, (exploded["item"].to_numpy(), codes)), shape=(len(tags), codes.max() + 1)
    )


def model_folder(path: Path) -> Path:
    """The model in a run's folder, or the folder itself.

    Raises:
        DataError: Neither holds one.
    """
    for folder in (path / "model", path):
        if (folder / "manifest.json").exists():
            return folder
    raise DataError(
        str(path), "the folder of a run or of a model", "neither", "train one with `intertask train`"
    )


def _refuse_other_data(model: Recommender, corpus: Corpus, folder: Path) -> None:
    stored = model.histories
    if stored.num_users and (
        stored.num_events != corpus.sequences.num_events
        or not np.array_equal(stored.items, corpus.sequences.items)
        or not np.array_equal(stored.offsets, corpus.sequences.offsets)
    ):
        raise ProtocolError(
            str(folder), "the data that the model was trained on", "other data", "train it again on these"
        )
