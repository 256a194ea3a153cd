"""The folder of a run, from recipe to report: what `train` and `evaluate` do, for programs and the terminal.

recipe.toml      as the user wrote it      recipe.json      complete, with defaults and what --set changed
journal.jsonl    every step's losses       checkpoints/     to go on from
model/           the artefact              evaluation.json  and targets.parquet
evaluated/       with [train] refit: the model that is measured, where model/ has seen all events
refit/           its journal and checkpoints
report.html      and plots/                run.lock         which process works here
streams/NAME/    corpus, model and evaluation of each further log that was trained with it
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from intertask import artefact, doors
from intertask.data.seam import Corpus, Split
from intertask.errors import DataError, RecipeError, WriteError
from intertask.evaluate import kept
from intertask.evaluate.results import Evaluation
from intertask.fitting.experiment import fit_streams, refuse_unfit
from intertask.fitting.fitted import Fitted
from intertask.fitting.refitting import refit, refits
from intertask.model import refuse_misfits
from intertask.options.config import parse
from intertask.options.overrides import named
from intertask.origins import Origin
from intertask.origins.log import LogOrigin
from intertask.origins.rows import RowsOrigin
from intertask.recipe import MAIN, Recipe
from intertask.recipe.data_section import refuse_mixed
from intertask.storage.files import settle, strange, written_aside
from intertask.storage.journal import GOES_ON
from intertask.storage.ours import refuse_foreign
from intertask.storage.run_folder import (
    EVALUATED,
    WRITTEN,
    drop_empty,
    refuse_locked,
    refuse_others,
    working_on,
)

MEASURED = "evaluated"  # the folder of the model that is measured, where another one is served


def train(
    file: Path, folder: Path, seed: int | None = None, changes: Sequence[str] = ()
) -> Fitted[Corpus, Split]:
    """Train as a recipe says, or go on with a run that was stopped, and save the model of each stream.

    Args:
        file: The recipe.
        folder: Of the run.
        seed: In place of the recipe's.
        changes: In place of what the recipe says, as `train.epochs=5`.

    Returns:
        What was trained on the recipe's own data.

    Raises:
        RecipeError: The recipe does not fit the data, or the folder holds a run of other ones.
        IntertaskError: Another process works in the folder, or something stands there that is no run's.
    """
    recipe = Recipe.read(file, changes)
    if seed is not None:
        recipe = parse(Recipe, recipe.model_dump() | {"seed": seed}, "--seed")
    views = recipe.views()
    for view in views.values():
        refuse_mixed(view)
        refuse_misfits(view)  # before a log is read
    folders = {name: stream_folder(folder, name) for name in views}
    own = ["recipe.toml"] if _same(file, folder / "recipe.toml") else []
    with working_on(folder, "train", WRITTEN, own):
        for name, view in views.items():
            _refuse_strange(folders[name], origin_of(view))
        with _going_on():
            prepared = _prepared(recipe, file.parent, folders)
            corpora = {name: corpus for name, (corpus, _) in prepared.items()}
            served = fitted = fit_streams(recipe, corpora, folder)
            if refits(recipe, corpora):
                for name, (_, origin) in prepared.items():
                    origin.save(fitted[name], folders[name] / MEASURED)
                served = refit(recipe, corpora, fitted, folder / "refit")
            for name, (_, origin) in prepared.items():
                origin.save(served[name], folders[name] / "model")
            if file.suffix != ".json" and not own:  # recipe.json stands there already, or the user's own
                with written_aside(folder / "recipe.toml") as aside:
                    lines = "".join(f"# changed by {named([change])!r}\n" for change in changes)
                    aside.write_text(lines + file.read_text(encoding="utf-8"), encoding="utf-8")
    return fitted[MAIN]


@contextmanager
def _going_on() -> Iterator[None]:
    """Errors of writing with the advice for a run that has written something before."""
    try:
        yield
    except WriteError as error:
        raise WriteError(error.where, error.expected, error.found, GOES_ON) from error


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and not other.is_symlink() and one.samefile(other)


def _refuse_strange(folder: Path, origin: type[Origin]) -> None:
    """Refuse, before the run begins, a place that it would replace and that no run made."""
    for place in (folder, folder.parent):  # of a stream, and of all streams
        wrong = strange(place, "folder")
        if wrong and folder.parent.name == "streams":
            raise DataError(
                str(place),
                "a folder of this run, or nothing yet",
                wrong,
                "choose another folder for the run; nothing was changed",
            )
    refuse_foreign([folder / "refused.parquet"])
    origin.contents.refuse(folder / "corpus")
    for place in (folder / "model", folder / MEASURED):
        artefact.refuse_place(place, place)


def stream_folder(folder: Path, name: str) -> Path:
    """The folder of one stream of a run."""
    return folder if name == MAIN else folder / "streams" / name


def stream_folders(folder: Path) -> list[Path]:
    """The folders of a run's streams: its own, then those of further logs, by name."""
    own = [
        place.parent
        for place in folder.glob("streams/*/model")
        if not any(strange(part, "folder") for part in (place.parent.parent, place.parent, place))
    ]
    return [folder, *sorted(own)]


def evaluate(folder: Path, part: Literal["validation", "test"] = "test") -> Evaluation:
    """Evaluate a trained run on the log it was trained on, and write what was found beside it.

    Raises:
        DataError: The folder holds no trained run.
        ArtefactError: The model is not as it was written.
        LeakageError: It was trained on something else than the training part.
    """
    refuse_unkept(folder)
    return keep(measure(folder, part), folder)


def measure(folder: Path, part: Literal["validation", "test"] = "test") -> Evaluation:
    """Evaluate a trained run and write nothing; raises what `evaluate` does."""
    return doors.load(measured_folder(folder)).evaluate(run=folder, part=part)


def keep(found: Evaluation, folder: Path) -> Evaluation:
    """Write an evaluation into the folder of its run, with what became of every target.

    Returns:
        The evaluation as it stands there.

    Raises:
        IntertaskError: The folder cannot be written to.
    """
    with working_on(_root(folder), "evaluate", EVALUATED), _going_on():
        refuse_others(folder, EVALUATED)
        return kept.keep(_with_note(found, folder), folder)


def _with_note(found: Evaluation, folder: Path) -> Evaluation:
    """The evaluation, saying so where another model is served."""
    if measured_folder(folder).name != MEASURED:
        return found
    note = (
        f"The figures are of the weights in {MEASURED}/, which were trained on the training part; model/ was "
        "trained once more on all events, to serve, and nobody has measured it."
    )
    return found.model_copy(update={"notes": [*found.notes, note]})


def refuse_unkept(folder: Path) -> None:
    """Refuse the folder of a run, or of one of its streams, that an evaluation could not be kept in.

    Raises:
        IntertaskError: Another process works there, or a file of something else stands in the way.
    """
    refuse_locked(_root(folder))
    refuse_others(folder, EVALUATED)


def _root(folder: Path) -> Path:
    return folder.parent.parent if folder.parent.name == "streams" else folder


def origin_of(recipe: Recipe) -> type[Origin]:
    """The kind of data that one stream reads."""
    return RowsOrigin if recipe.reads_rows else LogOrigin


def _prepared(recipe: Recipe, beside: Path, folders: Mapping[str, Path]) -> dict[str, tuple[Corpus, Origin]]:
    """The data of each stream, mapped from its folder so that they do not stay in memory."""
    origins: dict[str, Origin] = {}
    corpora: dict[str, Corpus] = {}
    with ExitStack() as stack:  # nothing is changed before all data have been read and found to be the run's
        stack.callback(drop_empty, _missing(folders.values()))
        for name, view in recipe.views().items():
            own = origins[name] = origin_of(view)(view, beside)
            aside = stack.enter_context(written_aside(folders[name] / "corpus", own.contents.refuse))
            corpora[name] = own.prepare(aside)
            _refuse_another_run(folders[MAIN], recipe, folders[name], own, corpora[name])
        if not (folders[MAIN] / "checkpoints").exists():
            refuse_unfit(recipe, corpora)
    for name, own in origins.items():
        own.account(folders[name])
    return {name: (own.open(folders[name] / "corpus"), own) for name, own in origins.items()}


def _missing(folders: Iterable[Path]) -> list[Path]:
    """These folders and their parents, as far as they do not exist yet."""
    return [place for own in folders for place in (own, *own.parents) if not place.exists()]


def _refuse_another_run(folder: Path, recipe: Recipe, stream: Path, origin: Origin, corpus: Corpus) -> None:
    """Before anything in the folder changes: its checkpoints must be of this recipe and data."""
    if not all(place.exists() for place in (folder / "checkpoints", stream / "corpus")):
        return
    there, mine = Recipe.from_json(folder / "recipe.json").shaping(), recipe.shaping()
    other = [name for name in mine if mine[name] != there[name]]
    if not other and origin.open(stream / "corpus").digest() == corpus.digest():
        return
    raise RecipeError(
        str(folder),
        "a run of this recipe and data",
        f"other options ({', '.join(other)})" if other else "other data",
        "choose another folder for the run, or delete this one",
    )


def model_folder(path: Path) -> Path:
    """The model in a run's folder, or the folder itself.

    Raises:
        DataError: Neither holds one.
    """
    found = artefact.find(path)
    if found is not None:
        return found
    raise DataError(
        str(path), "the folder of a run or of a model", "neither", "train one with `intertask train`"
    )


def measured_folder(path: Path) -> Path:
    """The model that is measured: in a run that was trained once more on all events the one before that.

    Raises:
        DataError: There is none.
    """
    place = path / MEASURED
    settle(place)
    return place if (place / "manifest.json").exists() else model_folder(path)
