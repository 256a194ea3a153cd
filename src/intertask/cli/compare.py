"""`intertask compare`: two runs, measured in the same way."""

from pathlib import Path
from typing import Annotated

import typer

from intertask.cli.output import JsonOption, print_json, say


def compare(
    first: Annotated[Path, typer.Argument(help="Folder of an evaluated run.")],
    second: Annotated[Path, typer.Argument(help="Folder of another.")],
    as_json: JsonOption = False,
) -> None:
    """Compare two runs target by target. Refused where their protocols differ."""
    from rich.console import Console
    from rich.table import Table

    from intertask.evaluate.compare import compare as compare_runs

    found = compare_runs(first, second)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    table = Table(title=f"{found.first}  against  {found.second}", title_justify="left", box=None)
    for name in ("task", "history", "metric", "first", "second", "difference", "95 % interval", ""):
        table.add_column(name, justify="left" if name in ("task", "history", "metric", "") else "right")
    for row in found.rows:
        low, high = row.interval.low, row.interval.high
        verdict = "first is better" if low > 0 else "second is better" if high < 0 else ""
        table.add_row(
            row.task, row.history, row.metric, f"{row.first:.4f}", f"{row.second:.4f}",
            f"{row.difference:+.4f}", f"{low:+.4f} to {high:+.4f}", verdict,
        )  # fmt: skip
    Console().print(table)
    say(f"protocol {found.protocol.fingerprint()}, paired bootstrap over users")
