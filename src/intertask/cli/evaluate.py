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
    part: Annotated[Part, typer.Option(help="validation while you choose, test once.")] = Part.test,
    samples: Annotated[int, typer.Option(min=0, help="Users whose recommendations the report shows.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Rank every item for every target, beside the baselines; print the table and write the report."""
    from rich.console import Console

    from intertask import report
    from intertask import run as runs
    from intertask.cli.showing import sample_users
    from intertask.recommender import Recommender
    from intertask.report import journal, terminal
    from intertask.report.advice import advice

    found, course = {}, journal.read(run / "journal.jsonl")
    for folder in runs.stream_folders(run):
        found[folder.name] = runs.evaluate(folder, part.value)
        model = Recommender.load(runs.model_folder(folder))
        page = report.write(
            folder, sample_users(model, samples, min(5, model.model.dimensions.num_items)) if samples else []
        )
        if not as_json:
            terminal.show(found[folder.name], Console())
            for words in advice(found[folder.name], course, model.recipe):
                say(f"try: {words}")
            say(f"report: {page}")
    if as_json:
        own, *others = (evaluation.model_dump(mode="json") for evaluation in found.values())
        print_json(own | {"streams": dict(zip(list(found)[1:], others, strict=True))} if others else own)
