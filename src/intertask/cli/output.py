"""How verbs print: lines for people, JSON for programs; nothing that a terminal would obey."""

from pathlib import Path
from typing import Annotated

import typer

from intertask.terminal.printable import printable, printable_json

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a value of the recipe, e.g. train.epochs=5; may be repeated.",
    ),
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace the file that is written, if there is one.")
]


def refuse_existing(file: Path, option: str, *, overwrite: bool) -> None:
    """Refuse a name for a new file, before any work is done.

    Args:
        file: That is to be written.
        option: That names it.
        overwrite: Whether a file of that name is replaced.

    Raises:
        RequestError: A file stands there and is not to be replaced; or a link, a folder or a device does.
    """
    from intertask.errors import RequestError
    from intertask.storage.files import refuse_unnamable, strange

    refuse_unnamable(file)
    wrong = strange(file, "file")
    if wrong:
        raise RequestError(str(file), "a name that is free", wrong, f"name another file: {option}")
    if file.exists() and not overwrite:
        raise RequestError(
            str(file), "a name that is free", "a file", f"name another one: {option}, or add --overwrite"
        )


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    typer.echo(printable_json(value))


def say(line: str, *, err: bool = False) -> None:
    """Print one line, whatever the ids and titles in it hold."""
    typer.echo(printable(line, keep="\t"), err=err)
