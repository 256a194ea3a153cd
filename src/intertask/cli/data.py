"""`intertask data`: read, account for, and prepare the data of a recipe or of a known data set."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from intertask.cli.output import JsonOption, OverwriteOption, SetOption, print_json, refuse_existing
from intertask.printable import printable

if TYPE_CHECKING:
    from intertask.data.corpus import Corpus
    from intertask.data.refusals import Refusals


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
    from intertask import source
    from intertask.config import parse
    from intertask.data.prepare import prepare
    from intertask.errors import IntertaskError, RequestError
    from intertask.experiment import refuse_unfit
    from intertask.model import refuse_misfits
    from intertask.recipe import MAIN, DataConfig, Recipe

    file = Path(what)
    if file.suffix != ".toml" and file.exists():
        raise RequestError(
            "data", "a recipe file (.toml) or the name of a data set", repr(what),
            "name the file in a recipe, under [data.events]",
        )  # fmt: skip
    _refuse_places(out, refused, overwrite=overwrite)
    misfit: IntertaskError | None = None
    told: tuple[str, ...] = ()
    recipe: Recipe | None = None
    if file.suffix == ".toml":
        recipe = Recipe.read(file, changes or ())
        views = recipe.views()
        for view in views.values():
            refuse_misfits(view)
        if stream is not None and stream not in views:
            raise RequestError("--stream", f"one of {', '.join(views)}", repr(stream))
        logs = {name: source.load(view.data, file.parent) for name, view in views.items()}
    elif changes or stream:
        raise RequestError("data", "a recipe file (.toml), for --set and --stream", repr(what))
    else:
        logs = {MAIN: source.load(parse(DataConfig, {"dataset": what}, "data"), Path())}
    loaded = logs[stream or MAIN]
    reports = [loaded.events.report] + ([] if loaded.catalogue is None else [loaded.catalogue.report])
    if refused is not None:
        loaded.events.report.write(refused, overwrite=overwrite)
    for report in reports:
        report.check(strict)
    with ExitStack() as stack:
        aside = None if out is None else _aside(out, stack)
        corpora = {
            name: prepare(log.events, aside if name == (stream or MAIN) else None)
            for name, log in logs.items()
        }
        if recipe is not None:
            try:  # as `train` would; the account of the data is shown all the same
                told = refuse_unfit(recipe, corpora)
            except IntertaskError as error:
                misfit = error
        _show(corpora[stream or MAIN], reports, as_json, loaded.events.span, told)
        if misfit is not None:
            raise misfit


def _refuse_places(out: Path | None, refused: Path | None, *, overwrite: bool) -> None:
    """Before any work: nothing of anybody else's may stand where something will be written."""
    from intertask.data.prepare import CORPUS
    from intertask.data.refusals import refuse_ending

    if out is not None:
        CORPUS.refuse(out)
    if refused is not None:
        refuse_ending(refused)
        refuse_existing(refused, "--refused OTHER", overwrite=overwrite)


def _aside(out: Path, stack: ExitStack) -> Path:
    """Where the sequences are written until everything is known to fit."""
    from intertask.data.prepare import CORPUS
    from intertask.files import written_aside

    return stack.enter_context(written_aside(out, CORPUS.refuse))


def _show(
    corpus: "Corpus",
    reports: Sequence["Refusals"],
    as_json: bool,
    span: tuple[datetime, datetime] | None,
    told: Sequence[str],
) -> None:
    import numpy as np

    sequences = corpus.sequences
    counts = {
        "users": len(corpus.users),
        "items": len(corpus.items),
        "events": sequences.num_events,
        "behaviours": {
            name: int((sequences.behaviours == code).sum()) for code, name in enumerate(corpus.behaviours)
        },
        "events a user, median": float(np.median(sequences.lengths)),
        "clock": sequences.times is not None,
        "first time": None if span is None else span[0].isoformat(sep=" "),
        "last time": None if span is None else span[1].isoformat(sep=" "),
        "duplicate rows": reports[0].repeated,
        "labels": sorted(sequences.labels),
        "reading": [report.summary() for report in reports],
        "notes": [*(note for report in reports for note in report.notes), *told],
    }
    if as_json:
        print_json(counts)
        return
    for name, value in counts.items():
        typer.echo(f"{name:22} {_words(value)}")


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
