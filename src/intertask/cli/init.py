"""`intertask init`: a file nobody has described yet becomes a first recipe."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from intertask.cli.output import OverwriteOption, refuse_existing, say

if TYPE_CHECKING:
    from intertask.data.guesses import Look
    from intertask.data.roles import Roles
    from intertask.proposals.log import Written

Column = str | None


def init(
    files: Annotated[list[Path], typer.Argument(help="The log, and files about its items and its users.")],
    out: Annotated[
        Path | None, typer.Option(help="The recipe to write; LOG.toml in this folder if left out.")
    ] = None,
    user: Annotated[Column, typer.Option(help="Column of the users.")] = None,
    item: Annotated[Column, typer.Option(help="Column of the items.")] = None,
    time: Annotated[Column, typer.Option(help='Column of the times, or "none".')] = None,
    time_format: Annotated[Column, typer.Option(help='How times are written, e.g. "%d.%m.%Y %H:%M".')] = None,
    behaviour: Annotated[Column, typer.Option(help='Column of what was done, or "none".')] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of numbers to learn; may be repeated. Without users and items: what rows are asked."
        ),
    ] = None,
    title: Annotated[Column, typer.Option(help='Column of the titles, or "none".')] = None,
    separator: Annotated[Column, typer.Option(help="Separator of the columns of a text file.")] = None,
    encoding: Annotated[Column, typer.Option(help="Encoding of a text file, e.g. cp1252 or utf-16.")] = None,
    overwrite: OverwriteOption = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the best guesses; ask nothing.")] = False,
) -> None:
    """Look at a log, or at a table with labels, ask what cannot be known, and write a first recipe."""
    from intertask.data.guesses import look
    from intertask.data.roles import guessed, the_log
    from intertask.proposals.log import first_recipe
    from intertask.storage.files import written_aside

    with _hints_as_options():
        looks = [look(file, separator, encoding) for file in files]
    log = the_log(looks)
    target = out or Path(f"{log.path.name.split('.')[0]}.toml")
    _refuse_target(target, overwrite=overwrite)
    if label and user is None and item is None and not (log.best("user") and log.best("item")):
        _write_of_rows(target, log, label, overwrite=overwrite)
        return
    asking = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    given = {"user": user, "item": item, "time": time, "behaviour": behaviour, "title": title}
    roles = guessed(log, looks, given, label, time_format, _ask if asking else None)
    with _hints_as_options():
        written = first_recipe(target, log, roles)
    _refuse_target(target, overwrite=overwrite)
    with written_aside(target) as aside:
        aside.write_text(written.text, encoding="utf-8")
    _tell(target, looks, log, roles, written)


def _write_of_rows(target: Path, table: "Look", labels: list[str], *, overwrite: bool) -> None:
    """A recipe for a table whose labels are named and in which no column seems to be a user or an item."""
    from intertask.proposals.rows import first_rows_recipe
    from intertask.storage.files import written_aside

    with _hints_as_options():
        text, rows = first_rows_recipe(target, table, labels)
    _refuse_target(target, overwrite=overwrite)
    with written_aside(target) as aside:
        aside.write_text(text, encoding="utf-8")
    say(rows.report.summary())
    for note in rows.report.notes:
        say(f"note       {note}")
    say(f"labels     {', '.join(labels)}")
    say(f"categories {', '.join(rows.categories) or 'none'}")
    say(f"numbers    {', '.join(rows.numbers) or 'none'}")
    recipe, run = quote(str(target)), quote(str(Path("runs") / target.stem))
    say(f"written    {target}; read it, change what is wrong, then:")
    example = quote(f"{rows.inputs.columns[0]}=...")
    for command in (f"data {recipe}", f"train {recipe}", f"evaluate {run}", f"predict {run} --row {example}"):
        say(f"           intertask {command}")


@contextmanager
def _hints_as_options() -> Iterator[None]:
    """What an error would have written into a recipe is an option here."""
    from intertask.errors import DataError

    try:
        yield
    except DataError as error:
        hint = re.sub(r"(?:set )?(time_format|encoding) = ", _option, error.hint)
        raise DataError(error.where, error.expected, error.found, hint) from None


def _option(match: re.Match[str]) -> str:
    return f"--{match[1].replace('_', '-')} "


def _refuse_target(target: Path, *, overwrite: bool) -> None:
    from intertask.errors import RequestError

    if target.suffix != ".toml":
        raise RequestError("--out", "a name ending in .toml", repr(str(target)))
    refuse_existing(target, "--out OTHER.toml", overwrite=overwrite)


def _ask(what: str, columns: list[str], best: str | None) -> str:
    from intertask.data.roles import NONE

    say(f"columns: {', '.join(columns)}")
    return str(typer.prompt(f"which one holds {what}", default=best or NONE)).strip()


def _tell(target: Path, looks: "list[Look]", log: "Look", roles: "Roles", written: "Written") -> None:
    events = written.log
    say(events.report.summary())
    if log.table.separator is not None:
        say(f"separator  {log.table.separator!r}, encoding {log.encoding or 'UTF-8'}")
    columns = {
        "users": roles.user,
        "items": roles.item,
        "times": roles.time,
        "behaviours": roles.behaviour,
        "labels": ", ".join(roles.labels),
        "titles": ", ".join(roles.text),
        "tags": ", ".join(roles.tags),
        "filters": ", ".join([*roles.categories, *roles.numbers]),
        "attributes": ", ".join([*roles.attributes, *roles.amounts]),
    }
    for what, column in columns.items():
        say(f"{what:10} {column or 'none'}")
    for one in looks:
        if not any(one is used for used in roles.used(log)):
            say(
                f"left out   the file {one.path}: no row for each item or user of the log, or nothing to read"
            )
    for task, why in written.left_out.items():
        say(f"left out   the task {task}: {why}")
    recipe, run = quote(str(target)), quote(str(Path("runs") / target.stem))
    say(f"written    {target}; read it, change what is wrong, then:")
    for command in (f"data {recipe}", f"train {recipe}", f"evaluate {run}", f"recommend {run} --sample 3"):
        say(f"           intertask {command}")
