"""The folder of a run, from recipe to report: what `train` and `evaluate` do, for programs and the terminal.

recipe.toml      as the user wrote it      recipe.json      complete, defaults included
journal.jsonl    every step's losses       checkpoints/     to go on from
model/           the artefact              evaluation.json  and, for each target, ranks and answers.parquet
report.html      and plots/
"""

import shutil
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import scipy.sparse

from intertask import artefact, source
from intertask.config import parse
from intertask.data.catalogue import Catalogue
from intertask.data.corpus import Corpus
from intertask.data.prepare import CORPUS_FILES, open_corpus, prepare
from intertask.datasets import Loaded
from intertask.errors import DataError, RecipeError
from intertask.evaluate.evaluation import Evaluator
from intertask.evaluate.results import Evaluation
from intertask.experiment import Fitted
from intertask.files import refuse_foreign, written_aside
from intertask.recipe import Recipe
from intertask.recommender import Recommender


def train(file: Path, folder: Path, seed: int | None = None) -> Fitted:
    """Train as a recipe says, or go on with a run that was stopped, and save the model.

    Args:
        file: The recipe.
        folder: Of the run.
        seed: In place of the recipe's.

    Raises:
        RecipeError: The recipe does not fit the data, or the folder holds a run of other ones.
    """
    recipe = Recipe.read(file)
    if seed is not None:
        recipe = parse(Recipe, recipe.model_dump() | {"seed": seed}, "--seed")
    for leftover in folder.glob(".*.*"):  # of a run that was killed while it wrote
        shutil.rmtree(leftover, ignore_errors=True)
    corpus, catalogue = _prepared(recipe, file.parent, folder)
    recommender = Recommender(recipe).fit(corpus, catalogue, run=folder)
    recommender.save(folder / "model")
    if file.suffix != ".json":  # recipe.json stands there already
        with written_aside(folder / "recipe.toml") as aside:
            shutil.copyfile(file, aside)
    assert recommender.fitted is not None
    return recommender.fitted


def evaluate(folder: Path, part: Literal["validation", "test"] = "test") -> Evaluation:
    """Evaluate a trained run on the log it was trained on, and write what was found beside it.

    Raises:
        DataError: The folder holds no trained run.
        ArtefactError: The model is not as it was written.
        LeakageError: It was trained on something else than the training part.
    """
    if not (folder / "corpus").is_dir():
        raise DataError(
            str(folder), "the folder of a trained run", "none", "train one with `intertask train`"
        )
    corpus = open_corpus(folder / "corpus")
    model = Recommender.load(model_folder(folder))
    evaluator = Evaluator(
        model.recipe.name,
        model.model,
        corpus,
        model.recipe.split.split(corpus.sequences),
        model.recipe.evaluation,
        model.recipe.seed,
        item_tags(model.catalogue, corpus),
        part,
        artefact.trained_counts(model_folder(folder)),
    )
    found = evaluator.run()
    evaluator.write(folder)
    found.write(folder / "evaluation.json")
    return found


def _prepared(recipe: Recipe, beside: Path, folder: Path) -> tuple[Corpus, Catalogue | None]:
    """The corpus, mapped from the run's folder, and the catalogue; the log itself is let go."""
    loaded = source.load(recipe.data, beside)
    refuse_foreign(folder / "corpus", CORPUS_FILES, "a prepared log")
    with written_aside(folder / "corpus") as aside:
        _refuse_another_run(folder, recipe, prepare(loaded.events, aside))
    _account(loaded, folder)
    return open_corpus(folder / "corpus"), loaded.catalogue


def _account(loaded: Loaded, folder: Path) -> None:
    """Say what was refused, and what the catalogue lacks; the refused rows stand in the run's folder."""
    events, catalogue = loaded.events, loaded.catalogue
    if events.report.refused:
        events.report.write(folder / "refused.parquet")
        warnings.warn(f"{events.report.summary()}; see {folder / 'refused.parquet'}", stacklevel=2)
    if catalogue is not None:
        items = events.frame["item"].unique()
        missing = int((~items.cast(pl.String).is_in(catalogue.frame["item"].cast(pl.String).implode())).sum())
        if missing:
            warnings.warn(
                f"the catalogue lacks {missing:,} of {len(items):,} items of the log: known by id alone",
                stacklevel=2,
            )


def _refuse_another_run(folder: Path, recipe: Recipe, corpus: Corpus) -> None:
    """Before anything in the folder changes: its checkpoints must be of this recipe and data."""
    if not all((folder / name).exists() for name in ("checkpoints", "corpus")):
        return
    same_recipe = Recipe.from_json(folder / "recipe.json").shaping() == recipe.shaping()
    if same_recipe and open_corpus(folder / "corpus").sequences.digest() == corpus.sequences.digest():
        return
    raise RecipeError(
        str(folder), "a run of this recipe and data", f"other {'data' if same_recipe else 'options'}",
        "choose another folder for the run, or delete this one",
    )  # fmt: skip


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
