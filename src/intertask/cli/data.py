"""`intertask data`: read, account for, and prepare the data of a recipe or of a known data set."""

from pathlib import Path
from typing import Annotated

import typer

from intertask.cli.output import JsonOption, OverwriteOption, SetOption, print_json, refuse_existing
from intertask.terminal.printable import printable


def data(
    what: Annotated[
        str, typer.Argument(help="A recipe file, or the name of a data set (see `list datasets`).")
    ],
    stream: Annotated[
        str | None, typer.Option(help="Read this further log of the recipe instead of its own.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the prepared sequences into this folder.")] = None,
    refused: Annotated[
        Path | None, typer.Option(help="Write the refused rows to this .csv or .parquet.")
    ] = None,
    overwrite: OverwriteOption = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail if a single row is refused.")] = False,
    changes: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the data, say what was kept and what was refused, and check what a recipe asks of them."""
    from intertask.errors import RequestError
    from intertask.options.config import parse
    from intertask.recipe import MAIN, Recipe
    from intertask.recipe.data_section import DataConfig
    from intertask.runs.inspection import inspect

    file = Path(what)
    if file.suffix != ".toml" and file.exists():
        raise RequestError(
            "data",
            "a recipe file (.toml) or the name of a data set",
            repr(what),
            "name the file in a recipe, under [data.events] or [data.rows]",
        )
    _refuse_places(out, refused, overwrite=overwrite)
    recipe: Recipe | None = None
    if file.suffix == ".toml":
        recipe = Recipe.read(file, changes or ())
        sections = {name: view.data for name, view in recipe.views().items()}
        if stream is not None and stream not in sections:
            raise RequestError("--stream", f"one of {', '.join(sections)}", repr(stream))
    elif changes or stream:
        raise RequestError("data", "a recipe file (.toml), for --set and --stream", repr(what))
    else:
        sections = {MAIN: parse(DataConfig, {"dataset": what}, "data")}
    found = inspect(
        sections,
        file.parent,
        stream or MAIN,
        recipe=recipe,
        out=out,
        refused=refused,
        overwrite=overwrite,
        strict=strict,
    )
    if as_json:
        print_json(found.counts)
    else:
        for name, value in found.counts.items():
            typer.echo(f"{name:22} {_words(value)}")
    if found.misfit is not None:  # as `train` would say; the account of the data is shown all the same
        raise found.misfit


def _refuse_places(out: Path | None, refused: Path | None, *, overwrite: bool) -> None:
    """Before any work: nothing of anybody else's may stand where something will be written."""
    from intertask.data.prepare import CORPUS
    from intertask.data.refusals import refuse_ending

    if out is not None:
        CORPUS.refuse(out)
    if refused is not None:
        refuse_ending(refused)
        refuse_existing(refused, "--refused OTHER", overwrite=overwrite)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{printable(str(name))} {_words(count)}" for name, count in value.items())
    if isinstance(value, list):
        return "\n                       ".join(printable(str(line)) for line in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int | float) else printable(str(value))
