"""`intertask train`: a recipe becomes a model."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from intertask.cli.output import JsonOption, SetOption, print_json, say


def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe file; examples are in the folder recipes.")],
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/NAME if left out.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Use this seed instead of the recipe's.")] = None,
    changes: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train as a recipe says. A run that was stopped goes on where it was."""
    from intertask.evaluate.provenance import provenance
    from intertask.recipe import Recipe
    from intertask.report.figures import counted
    from intertask.runs import run as runs

    folder = run or Path("runs") / recipe.stem
    fitted = runs.train(recipe, folder, seed, changes or ())
    # As it was trained: the file may have changed in the meantime.
    trained, written = fitted.trained, Recipe.from_json(folder / "recipe.json")
    fingerprint = fitted.fingerprint()
    origin = provenance(written.seed)
    if as_json:
        print_json(
            {
                "model": str(folder / "model"),
                "best_epoch": trained.best_epoch,
                "epochs": trained.epochs,
                "monitor": trained.monitor,
                "best_metric": trained.best_metric,
                "ended": trained.reason,
                "advice": trained.advice,
                "seconds": round(trained.seconds, 1),
                "fingerprint": fingerprint,
                "seed": origin.seed,
                "commit": origin.commit,
            }
        )
        return
    say(
        f"{counted(trained.epochs, 'epoch')} in {trained.seconds:.0f} s, the best was epoch "
        f"{trained.best_epoch} of 0 to {trained.epochs - 1} with {trained.monitor} "
        f"{trained.best_metric:.4f} on validation"
    )
    say(" ".join([f"ended: {trained.reason}.", *trained.advice]))
    say(f"protocol {fingerprint}, seed {origin.seed}, commit {origin.commit}")
    if runs.measured_folder(folder).name == runs.MEASURED:
        say(f"it was trained once more on all events, to serve; {folder / runs.MEASURED} is what is measured")
    say(f"model: {folder / 'model'}    next: intertask evaluate {quote(str(folder))}")
