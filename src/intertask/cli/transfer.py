"""`intertask transfer`: what each task gains or loses by the others."""

from pathlib import Path
from typing import Annotated

import typer

from intertask.cli.evaluate import Part
from intertask.cli.output import JsonOption, SetOption, print_json, say


def transfer(
    recipe: Annotated[Path, typer.Argument(help="A recipe with two tasks or more.")],
    folder: Annotated[
        Path | None, typer.Option(help="Folder of the study; runs/NAME-transfer if left out.")
    ] = None,
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas.")] = "1,2,3",
    part: Annotated[
        Part, typer.Option(help="Use validation while you choose, and test once at the end.")
    ] = Part.validation,
    detach: Annotated[
        bool, typer.Option("--detach", help="Detach the task that harms another, and report the effect.")
    ] = False,
    changes: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train each task alone and all together, over several seeds; say who gains and who loses."""
    from rich.console import Console

    from intertask import report
    from intertask.errors import RecipeError
    from intertask.options.seeds import LIMIT
    from intertask.report.study_page import terminal
    from intertask.runs.study import study

    try:
        numbers = list(dict.fromkeys(int(word) for word in seeds.split(",")))
        if not all(0 <= number < LIMIT for number in numbers):
            raise ValueError
    except ValueError:
        raise RecipeError(
            "--seeds", "whole numbers from 0 on below 2^63 with commas between, such as 1,2,3", repr(seeds)
        ) from None
    place = folder or Path("runs") / f"{recipe.stem}-transfer"
    found = study(recipe, place, numbers, part.value, detach=detach, changes=changes or ())
    page = report.write_transfer(place, found)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    if detach and found.detached is None:
        why = "no task loses by one that opposes it"
        if found.to_detach is not None:
            why = f"{found.to_detach} alone trains the encoder of its log"
        say(f"--detach: nothing was detached, since {why}")
    console = Console()
    for table in terminal(found):
        console.print(table)
    say(f"report: {page}")
