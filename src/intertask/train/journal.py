"""The diary of a run: one JSON object a line, one line a step."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from intertask.files import unwritable, written_aside

Entry = Mapping[str, object]


class Journal:
    """Appends to a file, each line flushed, so that a killed run loses nothing but a half line.

    Args:
        file: Where it is kept.
        resume_step: Lines of later steps are dropped first: they will be written again.
    """

    def __init__(self, file: Path, resume_step: int | None) -> None:
        self.file = file
        kept = "" if resume_step is None else _until(file, resume_step)
        with written_aside(file) as aside:
            aside.write_text(kept, encoding="utf-8")
        self._handle: TextIO = file.open("a", encoding="utf-8")

    def write(self, event: str, **entry: object) -> None:
        """Append one line.

        Raises:
            IntertaskError: The disk is full.
        """
        try:
            self._handle.write(json.dumps({"event": event, **entry}) + "\n")
            self._handle.flush()
        except OSError as error:
            raise unwritable(self.file, error) from error

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):  # the line that found no room, which `write` has told of
            self._handle.close()


def _until(file: Path, step: int) -> str:
    if not file.exists():
        return ""
    kept = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # the half line of a killed run
            continue
        if entry.get("step", 0) <= step:
            kept.append(line + "\n")
    return "".join(kept)
