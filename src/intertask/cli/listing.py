"""`intertask list`: what a recipe may name."""

from typing import Annotated

import typer

from intertask.cli.output import JsonOption, print_json, say

FOLDERS = (
    *("inputs", "encoders", "communication", "items", "tasks", "losses", "balance"),
    *("datasets", "sources", "rankers", "references"),
)


def list_kinds(
    folder: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(FOLDERS)}; all if left out.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the kinds that a recipe may name, folder by folder."""
    from intertask.errors import RequestError
    from intertask.options.config import kinds

    if folder is not None and folder not in FOLDERS:
        raise RequestError("list", f"one of {', '.join(FOLDERS)}", repr(folder))
    found = {name: list(kinds(name)) for name in ([folder] if folder else FOLDERS)}
    if as_json:
        print_json(found)
        return
    for name, known in found.items():
        say(f"{name:14} {', '.join(known)}")
