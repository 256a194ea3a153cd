"""`intertask evaluate`: a run's table against the baselines, and its report."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from intertask.cli.output import JsonOption, print_json, say


class Part(StrEnum):
    """What is asked for."""

    test = "test"
    validation = "validation"


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a trained run.")],
    part: Annotated[
        Part, typer.Option(help="Use validation while you choose, and test once at the end.")
    ] = Part.test,
    samples: Annotated[
        int, typer.Option(min=0, help="Show the recommendations of this many users in the report.")
    ] = 5,
    cold: Annotated[
        int,
        typer.Option(
            min=0,
            max=5,
            help="So often train without some items and ask for them by their content.",
        ),
    ] = 0,
    cold_models: Annotated[
        bool,
        typer.Option(
            "--cold-models", help="With --cold, train a model of ids and one of content beside, and sum them."
        ),
    ] = False,
    new_users: Annotated[
        bool,
        typer.Option(
            "--new-users", help="Train without a fifth of the people and ask for their first events, too."
        ),
    ] = False,
    new_items: Annotated[
        int,
        typer.Option(
            min=0,
            max=24,
            help="Train before each of so many last months and ask for items first seen in it.",
        ),
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Ask the model for what was held back, beside the baselines; print the table and write the report."""
    from rich.console import Console

    from intertask import doors, report
    from intertask.cli.showing import sample_users
    from intertask.cold import shown as cold_shown
    from intertask.errors import IntertaskError
    from intertask.recommender import Recommender
    from intertask.report import journal, terminal
    from intertask.report.advice import advice
    from intertask.runs import run as runs

    found, course = {}, journal.read(run / "journal.jsonl")
    folders = runs.stream_folders(run)
    for folder in folders:  # before hours of evaluation
        runs.refuse_unkept(folder)
    for folder in folders:
        model = doors.load(runs.measured_folder(folder))
        found[folder.name] = own = model.evaluate(run=folder, part=part.value)
        page, why = None, ""
        try:
            found[folder.name] = own = runs.keep(own, folder)
            shown = []
            if samples and isinstance(model, Recommender):
                shown = sample_users(model, samples, min(5, model.model.dimensions.num_items))
            page = report.write(folder, shown)
        except (IntertaskError, OSError) as error:  # a folder that is only read, a full disk
            why = str(error)
        if not as_json:
            terminal.show(own, Console())
            for words in advice(own, course, model.recipe):
                say(f"try: {words}")
        if page is None:
            say(f"warning: the evaluation of {folder} was not written: {why}", err=True)
        elif not as_json:
            say(f"report: {page}")
    console = None if as_json else Console()
    studies = cold_shown.studied(
        run, console, folds=cold, separate=cold_models, people=new_users, months=new_items
    )
    if as_json:
        first, *others = (evaluation.model_dump(mode="json") for evaluation in found.values())
        told = first | studies
        print_json(told | {"streams": dict(zip(list(found)[1:], others, strict=True))} if others else told)
