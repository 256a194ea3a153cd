"""`intertask predict`: ask a model about rows, or about users and items."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from intertask.cli import ids
from intertask.cli.output import JsonOption, OverwriteOption, print_json, refuse_existing, say
from intertask.errors import RequestError

if TYPE_CHECKING:
    import polars as pl

SHOWN = 100  # rows that are printed


def predict(
    model: Annotated[Path, typer.Argument(help="Folder of a run or of a model.")],
    row: Annotated[
        list[str] | None,
        typer.Option(
            help="A row as COLUMN=VALUE, separated by commas, e.g. age=63,sex=1; may be repeated. "
            "Of a model of a log: user=USER,item=ITEM."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A file of rows: Parquet, CSV or JSONL; of a log with user and item.")
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="A text, of a model that reads texts; may be repeated.")
    ] = None,
    image: Annotated[
        list[Path] | None, typer.Option(help="A picture, of a model that reads pictures; may be repeated.")
    ] = None,
    audio: Annotated[
        list[Path] | None, typer.Option(help="A recording, of a model that reads sounds; may be repeated.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="Answer this task alone.")] = None,
    at_least: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Give no answer where no class is as probable as this, e.g. 0.7."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the answers to a .parquet, .csv or .jsonl file.")
    ] = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    r"""Predict the labels of rows, or what users would respond to items.

    A value that holds a comma is written with a backslash before it, as a\,b. Columns that a row leaves out
    are read as missing.
    """
    from intertask import doors
    from intertask.delivery import answer_files, batches, judging
    from intertask.predictor import Predictor
    from intertask.runs import run as runs

    read = {"text": text, "image": image, "audio": audio}
    given = {"--row": row, "--file": file, **{f"--{kind}": values for kind, values in read.items()}}
    options = [name for name, value in given.items() if value]
    if len(options) != 1:
        found = " and ".join(options) or "neither"
        raise RequestError(
            "predict", "--row, --file, --text, --image or --audio", found, "e.g. --row age=63,sex=1"
        )
    if out is not None:
        answer_files.refuse_ending(out)
        refuse_existing(out, "--out OTHER", overwrite=overwrite)
    loaded = doors.load(runs.model_folder(model))
    asked: object = [ids.values(text, "--row") for text in row] if row else file
    for kind, values in read.items():
        if values and not isinstance(loaded, Predictor):
            raise RequestError(f"--{kind}", "a model of rows", "one of a log")
        if values and isinstance(loaded, Predictor):
            asked = [{loaded.column_of(kind): value} for value in values]
    if isinstance(loaded, Predictor) and loaded.notice:
        say(loaded.notice, err=True)
    if isinstance(loaded, Predictor) and file is not None and out is not None:
        _say_written(out, batches.answer(loaded, file, out, task=task, at_least=at_least), as_json)
        return
    with _other_models(model):
        if isinstance(loaded, Predictor):
            answers = loaded.predict(asked, task=task, at_least=at_least)
        elif at_least is not None:
            raise RequestError("--at-least", "a model of rows, whose classes are probable", "one of a log")
        else:
            answers = judging.judge(loaded, asked, task)
    if out is not None:
        _say_written(out, answer_files.write(out, answers), as_json)
        return
    _show(answers, as_json)


@contextmanager
def _other_models(run: Path) -> Iterator[None]:
    """Refusals name the models of the run's other streams, which may have been meant."""
    from intertask.runs.run import stream_folders

    try:
        yield
    except RequestError as error:
        others = ", ".join(map(str, stream_folders(run)[1:]))
        if not others:
            raise
        hint = f"the run has models of other data: {others}"
        raise RequestError(
            error.where, error.expected, error.found, "; ".join(filter(None, [error.hint, hint]))
        ) from None


def _say_written(out: Path, rows: int, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(out), "rows": rows})
    else:
        say(f"{out}: {rows:,} rows")


def _show(answers: "pl.DataFrame", as_json: bool) -> None:
    if as_json:
        print_json(answers.to_dicts())
        return
    for number, values in enumerate(answers.head(SHOWN).iter_rows(named=True), 1):
        say(f"row {number}")
        for name, value in values.items():
            told = (
                f"{value:.4f}" if isinstance(value, float) else "no answer" if value is None else str(value)
            )
            say(f"  {name:30} {told}")
    if answers.height > SHOWN:
        say(f"and {answers.height - SHOWN:,} more; --out FILE writes all", err=True)
