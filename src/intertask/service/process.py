"""A process of a service: told by its parent on standard input what to serve, and gone when the parent is."""

import os
import signal
import sys
import threading
from collections.abc import Callable

from intertask.errors import IntertaskError
from intertask.service.settings import Place

READY = "ready"


def told() -> Place:
    """What the parent said; from now on this process ends when the parent does, even by a SIGKILL."""
    line = sys.stdin.readline()
    place = Place.model_validate_json(line)
    threading.Thread(target=_watch, name="parent", daemon=True).start()
    return place


def run(main: Callable[[], None]) -> None:
    """Do what a process is for; what it cannot do for a reason of its user's is one line."""
    try:
        main()
    except IntertaskError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)


def ready() -> None:
    """Tell the parent that it can go on."""
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()


def _watch() -> None:
    while sys.stdin.read(1):
        pass
    # The parent has gone without a word: what is under way is finished, as after a signal from it.
    os.kill(os.getpid(), signal.SIGTERM)
