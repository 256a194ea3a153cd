"""The command line: one verb a file. Loads nothing heavy before a verb runs."""

import importlib.metadata
import sys
import warnings
from typing import Annotated

import typer

from intertask.cli import (
    compare,
    data,
    doctor,
    evaluate,
    init,
    listing,
    predict,
    recommend,
    serve,
    similar,
    train,
    transfer,
    tune,
)
from intertask.cli.output import say
from intertask.errors import IntertaskError
from intertask.terminal.console import guarded

INTERRUPTED = 130

app = typer.Typer(
    name="intertask",
    help="From an event log to recommendations: train one sequence model, see how good it is, ask it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(importlib.metadata.version("intertask"))
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From an event log to recommendations: train one sequence model, see how good it is, ask it."""


app.command("init")(init.init)
app.command("data")(data.data)
app.command("train")(train.train)
app.command("tune")(tune.tune)
app.command("evaluate")(evaluate.evaluate)
app.command("recommend")(recommend.recommend)
app.command("similar")(similar.similar)
app.command("predict")(predict.predict)
app.command("serve")(serve.serve)
app.command("compare")(compare.compare)
app.command("transfer")(transfer.transfer)
app.command("list")(listing.list_kinds)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    with guarded():
        _run()


def _run() -> None:
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            app(prog_name="intertask")
    except IntertaskError as error:
        say(f"error: {error}", err=True)
        sys.exit(2)
    except SystemExit as done:  # typer has caught the interrupt itself
        if done.code == INTERRUPTED:
            say("stopped; the same command goes on where it was", err=True)
        raise
    except BrokenPipeError:  # the reader of our output, `head` perhaps, has seen enough
        sys.exit(0)
    except OSError as error:  # a disk that fills up, a folder that vanishes, a right that is missing
        where, found = error.filename or "disk", error.strerror or error
        say(f"error: {where}: expected a place that can be used, found {found}", err=True)
        sys.exit(2)


def _warn(message: Warning | str, *_place: object, **_more: object) -> None:
    """A warning as a user wants it: without the line of our code that it came from."""
    say(f"warning: {message}", err=True)
