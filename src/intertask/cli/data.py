"""`intertask data`: read, account for, and prepare the data of a recipe or of a known data set."""

from pathlib import Path
from typing import Annotated

import typer

from intertask.cli.output import JsonOption, SetOption, print_json
from intertask.printable import printable


def data(
    what: Annotated[
        str, typer.Argument(help="A recipe file, or the name of a data set (see `list datasets`).")
    ],
    stream: Annotated[
        str | None, typer.Option(help="Which of a recipe's logs; its own where left out.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the prepared sequences into this folder.")] = None,
    refused: Annotated[
        Path | None, typer.Option(help="Write the refused rows to this .csv or .parquet.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail if a single row is refused.")] = False,
    changes: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the data, say what was kept and what was refused, and prepare it."""
    import numpy as np

    from intertask import source
    from intertask.config import parse
    from intertask.data.prepare import prepare
    from intertask.errors import RequestError
    from intertask.model import refuse_misfits
    from intertask.recipe import MAIN, DataConfig, Recipe

    file = Path(what)
    if file.suffix != ".toml" and file.exists():
        raise RequestError(
            "data", "a recipe file (.toml) or the name of a data set", repr(what),
            "name the file in a recipe, under [data.events]",
        )  # fmt: skip
    if file.suffix == ".toml":
        views = Recipe.read(file, changes or ()).views()
        for view in views.values():
            refuse_misfits(view)
        if stream is not None and stream not in views:
            raise RequestError("--stream", f"one of {', '.join(views)}", repr(stream))
        loaded = source.load(views[stream or MAIN].data, file.parent)
    else:
        loaded = source.load(parse(DataConfig, {"dataset": what}, "data"), Path())
    reports = [loaded.events.report] + ([] if loaded.catalogue is None else [loaded.catalogue.report])
    if refused is not None:
        loaded.events.report.write(refused)
    for report in reports:
        report.check(strict)
    corpus = prepare(loaded.events, out)
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
        "labels": sorted(sequences.labels),
        "reading": [report.summary() for report in reports],
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
    return f"{value:,}" if isinstance(value, int | float) else str(value)
