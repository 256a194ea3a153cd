"""A temporary file that vanishes with this process, even where it is killed."""

import os
import tempfile
import weakref
from pathlib import Path
from typing import IO

_BY_NUMBER = Path("/proc/self/fd")


class Scratch:
    """A file to write once and to read by its path while this object lives.

    Where the system shows open files under their number (Linux) its name is deleted at once, so that what
    is personal in it cannot outlive the process; elsewhere it is deleted with the object.
    """

    def __init__(self) -> None:
        number, name = tempfile.mkstemp(prefix="intertask-")
        self.file: IO[bytes] = os.fdopen(number, "w+b", buffering=1 << 20)
        self.path = Path(name)
        if (_BY_NUMBER / str(number)).exists():
            self.path.unlink()
            self.path = _BY_NUMBER / str(number)
            weakref.finalize(self, self.file.close)
        else:
            weakref.finalize(self, _drop, self.file, self.path)


def _drop(file: IO[bytes], path: Path) -> None:
    file.close()
    path.unlink(missing_ok=True)
