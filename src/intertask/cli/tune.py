"""`intertask tune`: better options for a recipe."""

from pathlib import Path
from typing import Annotated

import typer

from intertask.cli.output import JsonOption, print_json, say


def tune(
    recipe: Annotated[Path, typer.Argument(help="A recipe file with a table tune.space.")],
    minutes: Annotated[
        float, typer.Option(min=0.01, max=100_000, help="Time that it may take, over all starts.")
    ] = 60.0,
    folder: Annotated[Path | None, typer.Option(help="Of the tuning; runs/NAME-tune if left out.")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trials at most.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Look for better options of a recipe; the same command goes on after a kill."""
    from dataclasses import asdict

    from intertask.runs import space, tuning

    place = folder or Path("runs") / f"{recipe.stem}-tune"
    found = tuning.tune(recipe, place, minutes, trials, lambda line: say(line, err=True))
    if as_json:
        print_json(asdict(found))
        return
    winner = next(one for one in found.trials if one.number == found.winner)
    seeds = "one seed" if found.seeds == 1 else f"{found.seeds} seeds"
    gain = found.means[found.winner] - found.means[0]
    if found.winner == 0:
        say(f"nothing better was found in {len(found.trials) - 1} trials: the recipe stays as it is")
    else:
        say(f"best: trial {found.winner}, {found.monitor} {gain:+.4f} on validation, over {seeds}")
        for change in space.changes(winner.values):
            say(f"  {change}")
    say(f"recipe: {place / 'best.toml'}    report: {place / 'report.html'}")
