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
    demo: bool = False,
    backup: Path | None = None,
    restore: Path | None = None,
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
        demo: Make a small shop and serve it.
        backup: Copy the service's folder there, and start nothing.
        restore: Put that backup into the service's folder, and start nothing.

    Raises:
        IntertaskError: It cannot start.
    """
    if sys.platform == "win32":
        raise RequestError("intertask serve", "Linux or macOS", "Windows", "use a container, or WSL")
    chosen = settings.read(config, changes)
    if demo:
        if run is not None or backup is not None or restore is not None or check:
            alone = "no run, check, backup or restore"
            raise RequestError("intertask serve --demo", alone, "one", "leave it out")
        from intertask.service.demo import demo as make

        run = make(data or Path("intertask-demo"), say)
        data = None
    if run is None and data is None:
        raise RequestError(
            "intertask serve", "a run, or --data with the folder of a service", "neither", "name one of them"
        )
    if run is not None and not run.exists():
        raise RequestError(str(run), "the folder of a run or of a model", "nothing")
    folder = data if data is not None else (run or Path()) / "service"
    if backup is not None or restore is not None:
        from intertask.service import backup as backups

        if backup is not None:
            say(f"backup: {backups.back_up(folder, backup)} files in {backup}")
        if restore is not None:
            say(f"restored: {backups.restore(restore, folder)} files in {folder}")
        return
    if check:
        say(f"settings: {chosen.model_dump_json(exclude={'database'})}")
        return
    with contextlib.suppress(KeyboardInterrupt):
        serve(folder, chosen, run, lambda line: say(line, err=line.startswith("error")), new=new_key)
