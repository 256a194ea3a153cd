"""A study of what tasks do to each other: each alone, each alone with as many weights, and all together.

The study is a folder of runs, ARM-SEED, each of which may be stopped and goes on; what is there is not
trained again. Beside them transfer.json and transfer.html.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from intertask import artefact, doors
from intertask.communication import CommunicationConfig
from intertask.communication.none import Config as Private
from intertask.communication.shared import Config as Shared
from intertask.data.seam import Corpus
from intertask.errors import IntertaskError, RecipeError
from intertask.evaluate.gains import Transfer, stream_of, transfer
from intertask.evaluate.kept import FILE, is_whole
from intertask.evaluate.results import Evaluation
from intertask.evaluate.validation import reported
from intertask.events.reading import reading
from intertask.fitting.experiment import refuse_unfit
from intertask.model import refuse_misfits
from intertask.model.funnel import without_steps
from intertask.nn.dimensions import Dimensions
from intertask.rankers.none import Config as Alone
from intertask.recipe import MAIN, Recipe, shaping_of
from intertask.recipe.data_section import DataConfig, refuse_mixed
from intertask.recommender import Recommender
from intertask.runs import run as runs
from intertask.storage.files import strange, written_aside
from intertask.storage.ours import refuse_foreign
from intertask.storage.run_folder import WRITTEN, refuse_others
from intertask.tasks import TaskConfig

GRADIENT_STEPS = 20


def study(
    file: Path,
    folder: Path,
    seeds: Sequence[int],
    part: Literal["validation", "test"],
    *,
    detach: bool = False,
    changes: Sequence[str] = (),
) -> Transfer:
    """Train and evaluate what is missing, and report.

    Args:
        file: A recipe with two tasks or more.
        folder: Of the study.
        seeds: At least one.
        part: What is evaluated.
        detach: Where a task loses, detach the one that opposes it and report on that instead.
        changes: Changes of what the recipe says, e.g. `train.epochs=5`.

    Raises:
        RecipeError: The recipe has one task, or does not fit the data.
    """
    recipe = Recipe.read(file, changes)
    tasks = recipe.all_tasks()
    if len(tasks) < 2:
        raise RecipeError(f"{file} [tasks]", "two tasks or more", ", ".join(tasks), "add one")
    recipe = settled(recipe, file.parent)
    views = recipe.views()
    for view in views.values():
        refuse_mixed(view)
        refuse_misfits(view)  # before a log is read
    singles = {task: alone(view, task) for view in views.values() for task in view.tasks}
    corpora = {name: runs.origin_of(view)(view, file.parent).prepare() for name, view in views.items()}
    _refuse_in_advance(recipe, singles, corpora, folder, seeds)
    arms = [*(f"{arm}-{task}" for task in tasks for arm in ("alone", "matched")), "together"]
    _refuse_foreign(folder, [*arms, *(f"without-{task}" for task in tasks if detach)], seeds)
    del corpora  # each run reads its own
    together = [run_arm(recipe, folder, "together", seed, part) for seed in seeds]
    own = {
        task: [run_arm(one, folder, f"alone-{task}", seed, part) for seed in seeds]
        for task, one in singles.items()
    }
    matched = {}
    for task, one in singles.items():
        joint, single = (runs.model_folder(stream_of(run, task)) for run in (together[0], own[task][0]))
        missing = artefact.num_weights(joint) - artefact.num_weights(single)
        grown = _grown(one, recipe.communication, missing)
        matched[task] = [run_arm(grown, folder, f"matched-{task}", seed, part) for seed in seeds]
    found = _written(transfer(recipe.name, seeds, together, own, matched), recipe, together[0], folder)
    name = found.to_detach
    if not detach or name is None or not _detachable(recipe, name):
        return found
    recipe = _detached(recipe, name)
    together = [run_arm(recipe, folder, f"without-{name}", seed, part) for seed in seeds]
    mended = transfer(recipe.name, seeds, together, own, matched).model_copy(update={"detached": name})
    return _written(mended, recipe, together[0], folder)


def _refuse_in_advance(
    recipe: Recipe,
    singles: Mapping[str, Recipe],
    corpora: Mapping[str, Corpus],
    folder: Path,
    seeds: Sequence[int],
) -> None:
    """Refuse now what could not be trained hours later, when its arm would have its turn.

    Raises:
        RecipeError: A recipe does not fit the data, or what has been evaluated is of other data.
    """
    digests = {name: corpus.digest() for name, corpus in corpora.items()}
    refuse_unfit(recipe, corpora)
    for stream, view in recipe.views().items():
        for task in view.tasks:
            refuse_unfit(singles[task], {MAIN: corpora[stream]})
            for arm in ("alone", "matched"):
                _refuse_old([folder / f"{arm}-{task}-{seed}" for seed in seeds], {MAIN: digests[stream]})
    for arm in ("together", *(f"without-{task}" for task in recipe.all_tasks())):
        _refuse_old([folder / f"{arm}-{seed}" for seed in seeds], digests)


def _detachable(recipe: Recipe, name: str) -> bool:
    """Whether a task may be detached: some other one of its stream has to train it."""
    views = recipe.views().values()
    return any(name in view.tasks and set(view.attached()) - {name} for view in views)


def _detached(recipe: Recipe, name: str) -> Recipe:
    def freed(tasks: dict[str, TaskConfig]) -> dict[str, TaskConfig]:
        return {
            task: config.model_copy(update={"detached": True}) if task == name else config
            for task, config in tasks.items()
        }

    streams = {
        stream: config.model_copy(update={"tasks": freed(config.tasks)})
        for stream, config in recipe.streams.items()
    }
    return recipe.model_copy(
        update={"name": f"{recipe.name}, {name} detached", "tasks": freed(recipe.tasks), "streams": streams}
    )


def _refuse_old(places: Sequence[Path], digests: Mapping[str, str]) -> None:
    """What has been evaluated of these runs must be of the data with these digests, by stream.

    Raises:
        RecipeError: It is of others, as where the log has grown since.
    """
    for run in places:
        for stream, digest in digests.items():
            file = runs.stream_folder(run, stream) / FILE
            if file.is_file() and Evaluation.read(file).protocol.data != digest:
                raise RecipeError(
                    str(run),
                    "a run of these data",
                    "one of other data: the log has changed since",
                    f"choose another --folder than {run.parent}, or delete it",
                )


def _refuse_foreign(folder: Path, arms: Sequence[str], seeds: Sequence[int]) -> None:
    """Before the first run: whatever the study will write must be its own, or not there yet."""
    recipes = folder / "recipes"
    wrong = strange(recipes, "folder")
    if wrong:
        hint = "choose another folder for the study; nothing was changed"
        raise IntertaskError(str(recipes), "a folder of this study, or nothing yet", wrong, hint)
    refuse_foreign([folder / "transfer.json", folder / "transfer.html"])
    refuse_foreign([recipes / f"{arm}.json" for arm in arms], "recipe.json")
    for arm in arms:
        for seed in seeds:
            refuse_others(folder / f"{arm}-{seed}", WRITTEN)


def _written(found: Transfer, recipe: Recipe, run: Path, folder: Path) -> Transfer:
    views = recipe.views().values()
    apart = [name for view in views for name, task in view.tasks.items() if task.detached]
    readings = []
    for stream in runs.stream_folders(run):
        model = doors.load(runs.model_folder(stream))
        if isinstance(model, Recommender):  # rows have no history that a memory could read
            readings.append(reading(model.model, model.histories))
    told = {"apart": apart, "readings": [own for own in readings if own is not None]}
    found = found.model_copy(update=told)
    refuse_foreign([folder / "transfer.json"])
    with written_aside(folder / "transfer.json") as aside:
        aside.write_text(found.model_dump_json(indent=1), encoding="utf-8")
    return found


def refuse_another(recipe: Recipe, place: Path) -> None:
    """What stands in a run's folder must be of this recipe.

    Raises:
        RecipeError: It is of another one, or cannot be read.
    """
    file = place / "recipe.json"
    if not file.is_file():
        return
    Recipe.from_json(file)  # refuses what is no recipe
    # As they were written: an option that was not there when the run was made was not trained with.
    there, mine = json.loads(file.read_text(encoding="utf-8")), json.loads(recipe.to_json())
    complete = there.keys() >= mine.keys()
    if not complete or shaping_of(there) != shaping_of(mine) or there["data"] != mine["data"]:
        raise RecipeError(
            str(place),
            "a run of this recipe",
            "one of another",
            f"choose another folder than {place.parent}, or delete it",
        )


def settled(recipe: Recipe, beside: Path) -> Recipe:
    """The recipe as all arms have it: files from the root, gradients compared, no baselines, no ranker."""
    streams = {
        name: stream.model_copy(update={"data": _from_the_root(stream.data, beside)})
        for name, stream in recipe.streams.items()
    }
    steps = recipe.train.gradient_steps or GRADIENT_STEPS
    return recipe.model_copy(
        update={
            "data": _from_the_root(recipe.data, beside),
            "streams": streams,
            "ranker": Alone(),  # a study compares models
            "train": recipe.train.model_copy(update={"gradient_steps": steps}),
            "evaluation": recipe.evaluation.model_copy(
                update={"baselines": {}, "references": {}, "tradeoff": False}
            ),
        }
    )


def _from_the_root(data: DataConfig, beside: Path) -> DataConfig:
    files = {
        name: part.model_copy(update={"path": (beside / part.path).resolve()})
        for name in ("events", "catalogue", "people", "rows", "series")
        if (part := getattr(data, name)) is not None
    }
    return data.model_copy(update=files)


def alone(recipe: Recipe, task: str) -> Recipe:
    """One task with the whole input and the same encoder; its reported metric chooses the epoch."""
    own = without_steps(recipe.tasks[task])
    return recipe.model_copy(
        update={
            "tasks": {task: own.model_copy(update={"detached": False})},
            "communication": Shared(),
            "exchange": None,
            "train": recipe.train.model_copy(update={"monitor": reported(task, own), "step": "turns"}),
        }
    )


def _grown(recipe: Recipe, mechanism: CommunicationConfig, missing: int) -> Recipe:
    """One task with an expert between encoder and head of about as many weights as are missing.

    Where the mechanism remembers the task keeps it, or its memory would pass for help by others.
    """
    if not mechanism.remembers or not hasattr(mechanism, "inner"):
        mechanism = Private()
    one, two = (mechanism_weights(recipe, _with_inner(mechanism, inner)) for inner in (1, 2))
    inner = max(1, round(1 + (missing - one) / (two - one)))
    return recipe.model_copy(update={"communication": _with_inner(mechanism, inner)})


def mechanism_weights(recipe: Recipe, mechanism: CommunicationConfig) -> int:
    """How many weights are learnt between the encoder of a recipe and its tasks."""
    dimensions = Dimensions(
        width=recipe.width,
        max_length=recipe.max_length,
        num_items=1,
        behaviours=("event",),
        tasks=tuple(recipe.tasks),
        has_times=False,
    )
    built = mechanism.build(dimensions)
    return sum(weight.numel() for weight in built.parameters() if weight.requires_grad)


def _with_inner(mechanism: CommunicationConfig, inner: int) -> CommunicationConfig:
    return mechanism.model_copy(update={"inner": inner})


def run_arm(recipe: Recipe, folder: Path, arm: str, seed: int, part: Literal["validation", "test"]) -> Path:
    """Train and evaluate one arm with one seed, unless that has been done.

    Raises:
        RecipeError: What has been done is of another recipe.
    """
    place = folder / f"{arm}-{seed}"
    train = recipe.train.model_copy(update={"refit": False})  # nobody serves an arm
    own = recipe.model_copy(update={"name": arm, "seed": seed, "train": train})
    refuse_another(own, place)
    file = folder / "recipes" / f"{arm}.json"
    refuse_foreign([file], "recipe.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(file) as aside:
        aside.write_text(own.to_json(), encoding="utf-8")
    if not (place / FILE).is_file():
        runs.train(file, place, seed)
        _evaluate(place, part)
    elif Evaluation.read(place / FILE).protocol.part != part or not all(
        map(is_whole, runs.stream_folders(place))
    ):
        _evaluate(place, part)
    return place


def _evaluate(run: Path, part: Literal["validation", "test"]) -> None:
    """All streams of a run; its own last, whose evaluation says that it is done."""
    for folder in reversed(runs.stream_folders(run)):
        runs.evaluate(folder, part)
