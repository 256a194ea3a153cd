"""How verbs print: lines for people, JSON for programs; nothing that a terminal would obey."""

from typing import Annotated

import typer

from intertask.printable import printable, printable_json

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a value of the recipe, e.g. train.epochs=5; may be repeated.",
    ),
]


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    typer.echo(printable_json(value))


def say(line: str, *, err: bool = False) -> None:
    """Print one line, whatever the ids and titles in it hold."""
    typer.echo(printable(line, keep="\t"), err=err)
