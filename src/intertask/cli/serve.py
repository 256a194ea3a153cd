"""`intertask serve`: a trained model as a service."""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, cast

import typer

from intertask.cli.output import say
from intertask.errors import RequestError

PACKAGES = ("apsw", "httptools", "jinja2", "prometheus_client", "psycopg", "starlette", "uvicorn")


def serve(
    run: Annotated[
        Path | None, typer.Argument(help="Folder of a run or of a model, which is brought in and published.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder in which the service keeps everything; RUN/service if left out."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A file of settings, as service.toml.")] = None,
    host: Annotated[str | None, typer.Option(help="Where to listen; this machine alone if left out.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 8080 if left out, 0 for one that is free.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer; 2 if left out.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Look at the settings, and start nothing.")] = False,
    new_key: Annotated[bool, typer.Option("--new-key", help="Make one more key, and print it.")] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make a small shop, train on it, and serve it with a page to try.")
    ] = False,
    backup: Annotated[
        Path | None,
        typer.Option(help="Copy a service's folder to a new one, while it runs; start nothing."),
    ] = None,
    restore: Annotated[
        Path | None, typer.Option(help="Put a backup into a new folder of a service; start nothing.")
    ] = None,
) -> None:
    """Serve a model over HTTP: events in, recommendations out."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise RequestError(
            "intertask serve", "the extra `serve`", f"no {missing[0]}", 'pip install "intertask[serve]"'
        )
    given = {"host": host, "port": port, "workers": workers}
    changes = {name: value for name, value in given.items() if value is not None}
    # The service lies above the command line, and is known to it by its name alone.
    start = cast("Callable[..., None]", importlib.import_module("intertask.service.starting").start)
    start(
        run,
        data,
        config,
        changes,
        say,
        check=check,
        new_key=new_key,
        demo=demo,
        backup=backup,
        restore=restore,
    )
