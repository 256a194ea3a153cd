"""`intertask compare`: runs that were measured in the same way, against the first of them."""

from pathlib import Path
from typing import Annotated

import typer

from intertask.cli.output import JsonOption, print_json


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Evaluated runs; the first is the reference.")],
    metric: Annotated[
        str | None, typer.Option(help="Show this metric instead of the main one, e.g. hr@10.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every metric.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare runs target by target with the first of them. Refused where their protocols differ."""
    from rich.console import Console

    from intertask.errors import RequestError
    from intertask.evaluate.compare import compare as compare_runs
    from intertask.metrics.direction import MAIN_METRIC
    from intertask.report.comparison import parts

    if metric is not None and every:
        raise RequestError("compare", "--metric or --all", "both", "leave one out")
    found = compare_runs(*runs)
    # The main metric shows the qualities of tasks that rank nothing as well.
    known = list(dict.fromkeys([MAIN_METRIC, *(row.metric for row in found.rows if not row.is_alone)]))
    known += [row.metric for row in found.rows if row.metric not in known]
    there = [name for name in known if any(row.metric == name for row in found.rows)]
    if metric is not None and not any(row.metric == metric for row in found.rows):
        raise RequestError("--metric", f"one of {', '.join(there)}", repr(metric))
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    console = Console()
    chosen = known if every else [metric or MAIN_METRIC]
    for part in parts(found, list(dict.fromkeys(chosen))):
        console.print(part)
