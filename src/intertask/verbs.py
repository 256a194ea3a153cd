"""What the command line does, as functions: `it.train_recipe`, `it.compare`, `it.transfer`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from intertask.doors import load
from intertask.errors import RequestError
from intertask.evaluate.compare import Comparison
from intertask.evaluate.compare import compare as compare_runs
from intertask.evaluate.gains import Transfer
from intertask.evaluate.results import Evaluation
from intertask.options import arguments
from intertask.options.seeds import LIMIT
from intertask.predictor import Predictor
from intertask.recommender import Recommender
from intertask.runs import run as runs
from intertask.runs import study


def train_recipe(
    recipe: str | Path, run: str | Path | None = None, seed: int | None = None
) -> Recommender | Predictor:
    """Train as a recipe file says and keep everything in a folder, as `intertask train` does.

    A run that was stopped goes on. `Recommender.fit` and `Predictor.fit` train on data that are in memory.

    Args:
        recipe: The recipe file.
        run: The folder of the run; runs/NAME if left out.
        seed: Use this seed instead of the recipe's.

    Returns:
        The model of the recipe's own data; `evaluate(run=FOLDER)` says how good it is.

    Raises:
        RecipeError: The recipe does not fit the data, or the folder holds a run of other ones.
    """
    file = arguments.path(recipe, "recipe", "a file")
    folder = Path("runs") / file.stem if run is None else arguments.path(run, "run")
    runs.train(file, folder, seed)
    return load(folder)


def compare(
    first: str | Path | Evaluation, *others: str | Path | Evaluation, resamples: int = 2000
) -> Comparison:
    """Runs against the first of them, target by target, with intervals and corrected p values.

    Args:
        first: The folder of an evaluated run, or what `Recommender.evaluate` gave.
        others: At least one more.
        resamples: Number of bootstrap resamples.

    Raises:
        ProtocolError: Two were not measured in the same way; names what differs.
        DataError: One has not been evaluated, or they have no task in common.
        RequestError: There is one run alone, or something else than a run.
    """
    one, *more = (_run(run) for run in (first, *others))
    return compare_runs(one, *more, resamples=resamples)


def transfer(
    recipe: str | Path,
    folder: str | Path | None = None,
    *,
    seeds: Sequence[int] = (1, 2, 3),
    part: Literal["validation", "test"] = "validation",
    detach: bool = False,
) -> Transfer:
    """Train each task of a recipe alone and all together; say who gains and who loses.

    Args:
        recipe: A file with two tasks or more.
        folder: The folder of the study; runs/NAME-transfer if left out. Finished runs in it are not trained
            again.
        seeds: At least one; with one the luck of training is unknown.
        part: "validation" while you choose, "test" once.
        detach: Detach the task that harms another, and report the effect.

    Raises:
        RecipeError: The recipe has one task, or does not fit the data.
        RequestError: A seed is no whole number from 0 on.
    """
    file = arguments.path(recipe, "recipe", "a file")
    numbers = list(dict.fromkeys(seeds))
    if not numbers or any(
        isinstance(n, bool) or not isinstance(n, int) or not 0 <= n < LIMIT for n in numbers
    ):
        raise RequestError("seeds", "whole numbers from 0 on below 2^63, as [1, 2, 3]", repr(seeds))
    if part not in ("validation", "test"):
        raise RequestError("part", "'validation' or 'test'", repr(part))
    place = Path("runs") / f"{file.stem}-transfer" if folder is None else arguments.path(folder, "folder")
    return study.study(file, place, numbers, part, detach=detach)


def _run(run: str | Path | Evaluation) -> Path | Evaluation:
    if isinstance(run, str | Path):
        return Path(run)
    if isinstance(run, Evaluation):
        return run
    raise RequestError(
        "compare", "folders of runs, or evaluations", type(run).__name__, "call evaluate() first"
    )
