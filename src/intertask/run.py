"""The folder of a run, from recipe to report: what `train` and `evaluate` do, for programs and the terminal.

recipe.toml      as the user wrote it      recipe.json      complete, with defaults and what --set changed
journal.jsonl    every step's losses       checkpoints/     to go on from
model/           the artefact              evaluation.json  and, for each target, ranks and answers.parquet
report.html      and plots/
streams/NAME/    corpus, model and evaluation of each further log that was trained with it
"""

import shutil
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import polars as pl

from intertask import source
from intertask.config import parse
from intertask.data.catalogue import Catalogue
from intertask.data.corpus import Corpus
from intertask.data.prepare import CORPUS_FILES, open_corpus, prepare
from intertask.datasets import Loaded
from intertask.errors import DataError, RecipeError
from intertask.evaluate.results import Evaluation
from intertask.experiment import Fitted, fit_streams, refuse_unfit
from intertask.files import refuse_foreign, written_aside
from intertask.model import refuse_misfits
from intertask.overrides import named
from intertask.recipe import MAIN, Recipe
from intertask.recommender import Recommender


def train(file: Path, folder: Path, seed: int | None = None, changes: Sequence[str] = ()) -> Fitted:
    """Train as a recipe says, or go on with a run that was stopped, and save the model of each stream.

    Args:
        file: The recipe.
        folder: Of the run.
        seed: In place of the recipe's.
        changes: In place of what the recipe says, as `train.epochs=5`.

    Returns:
        What was trained on the recipe's own log.

    Raises:
        RecipeError: The recipe does not fit the data, or the folder holds a run of other ones.
    """
    recipe = Recipe.read(file, changes)
    if seed is not None:
        recipe = parse(Recipe, recipe.model_dump() | {"seed": seed}, "--seed")
    for leftover in folder.glob(".*.*"):  # of a run that was killed while it wrote
        shutil.rmtree(leftover, ignore_errors=True)
    views = recipe.views()
    for view in views.values():
        refuse_misfits(view)  # before a log is read
    folders = {name: stream_folder(folder, name) for name in views}
    prepared = _prepared(recipe, file.parent, folders)
    fitted = fit_streams(recipe, {name: corpus for name, (corpus, _) in prepared.items()}, folder)
    for name, view in views.items():
        Recommender.trained(view, fitted[name], prepared[name][1]).save(folders[name] / "model")
    if file.suffix != ".json":  # recipe.json stands there already
        with written_aside(folder / "recipe.toml") as aside:
            told = "".join(f"# changed by {named([change])!r}\n" for change in changes)
            aside.write_text(told + file.read_text(encoding="utf-8"), encoding="utf-8")
    return fitted[MAIN]


def stream_folder(folder: Path, name: str) -> Path:
    """Where a run has what is of one stream."""
    return folder if name == MAIN else folder / "streams" / name


def stream_folders(folder: Path) -> list[Path]:
    """The folders of a run's streams: its own, then those of further logs, by name."""
    return [folder, *sorted(place.parent for place in folder.glob("streams/*/model"))]


def evaluate(folder: Path, part: Literal["validation", "test"] = "test") -> Evaluation:
    """Evaluate a trained run on the log it was trained on, and write what was found beside it.

    Raises:
        DataError: The folder holds no trained run.
        ArtefactError: The model is not as it was written.
        LeakageError: It was trained on something else than the training part.
    """
    found = measure(folder, part)
    keep(found, folder)
    return found


def measure(folder: Path, part: Literal["validation", "test"] = "test") -> Evaluation:
    """Evaluate a trained run and write nothing; raises what `evaluate` does."""
    model = Recommender.load(model_folder(folder))
    return model.evaluate(run=folder, part=part)


def keep(found: Evaluation, folder: Path) -> None:
    """Write an evaluation into the folder of its run, with how every target was ranked and answered.

    Raises:
        IntertaskError: The folder cannot be written to.
    """
    if found.targets is not None:
        found.targets.write(folder)
    found.write(folder / "evaluation.json")  # the last, so that it says that all is there


def _prepared(
    recipe: Recipe, beside: Path, folders: Mapping[str, Path]
) -> dict[str, tuple[Corpus, Catalogue | None]]:
    """The corpus of each stream, mapped from its folder, and its catalogue; the logs are let go."""
    loaded, corpora = {}, {}
    with ExitStack() as stack:  # nothing is changed before all logs have been read and found to be the run's
        stack.callback(_drop_empty, _missing(folders.values()))
        for name, view in recipe.views().items():
            loaded[name] = source.load(view.data, beside)
            refuse_foreign(folders[name] / "corpus", CORPUS_FILES, "a prepared log")
            aside = stack.enter_context(written_aside(folders[name] / "corpus"))
            corpora[name] = prepare(loaded[name].events, aside)
            _refuse_another_run(folders[MAIN], recipe, folders[name], corpora[name])
        if not (folders[MAIN] / "checkpoints").exists():
            refuse_unfit(recipe, corpora)
    for name, own in loaded.items():
        _account(own, folders[name])
    return {name: (open_corpus(folders[name] / "corpus"), own.catalogue) for name, own in loaded.items()}


def _missing(folders: Iterable[Path]) -> list[Path]:
    """What will be made for these folders."""
    return [place for own in folders for place in (own, *own.parents) if not place.exists()]


def _drop_empty(made: Sequence[Path]) -> None:
    """Of a run that was refused nothing stays, the folders that were made for it neither."""
    for folder in sorted(made, key=lambda place: -len(place.parts)):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


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


def _refuse_another_run(folder: Path, recipe: Recipe, stream: Path, corpus: Corpus) -> None:
    """Before anything in the folder changes: its checkpoints must be of this recipe and data."""
    if not all(place.exists() for place in (folder / "checkpoints", stream / "corpus")):
        return
    there, mine = Recipe.from_json(folder / "recipe.json").shaping(), recipe.shaping()
    other = [name for name in mine if mine[name] != there[name]]
    if not other and open_corpus(stream / "corpus").sequences.digest() == corpus.sequences.digest():
        return
    raise RecipeError(
        str(folder), "a run of this recipe and data",
        f"other options ({', '.join(other)})" if other else "other data",
        "choose another folder for the run, or delete this one",
    )  # fmt: skip


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
