"""The door of the service: what the command line hands over, checked before anything is started."""

import contextlib
import sys
from pathlib import Path
from typing import Protocol

from intertask.errors import RequestError
from intertask.service import settings
from intertask.service.supervisor import serve


class Say(Protocol):
    """Prints a line."""

    def __call__(self, line: str, *, err: bool = False) -> None:
        """Print it."""
        ...


def start(
    run: Path | None,
    data: Path | None,
    config: Path | None,
    changes: dict[str, object],
    say: Say,
    *,
    check: bool = False,
    new_key: bool = False,
) -> None:
    """Serve, or say whether it could.

    Args:
        run: A run or a model's folder to bring in and publish.
        data: Where the service keeps everything; `service` in the run if left out.
        config: A file of settings.
        changes: Settings of the command line.
        say: Prints a line.
        check: Only look at the settings.
        new_key: Make one more key.

    Raises:
        IntertaskError: It cannot start.
    """
    if sys.platform == "win32":
        raise RequestError("intertask serve", "Linux or macOS", "Windows", "use a container, or WSL")
    chosen = settings.read(config, changes)
    if run is None and data is None:
        raise RequestError(
            "intertask serve", "a run, or --data with the folder of a service", "neither", "name one of them"
        )
    if run is not None and not run.exists():
        raise RequestError(str(run), "the folder of a run or of a model", "nothing")
    folder = data if data is not None else (run or Path()) / "service"
    if check:
        say(f"settings: {chosen.model_dump_json(exclude={'database'})}")
        return
    with contextlib.suppress(KeyboardInterrupt):
        serve(folder, chosen, run, lambda line: say(line, err=line.startswith("error")), new=new_key)
