"""The diary of a run, written and read: one JSON object a line, one line a step."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from intertask.storage.files import unwritable, written_aside

GOES_ON = "free some space and start it again: what is complete was kept, and it goes on from there"
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
            if event == "validation":  # an epoch outlives a loss of power too
                os.fsync(self._handle.fileno())
        except OSError as error:
            raise unwritable(self.file, error, GOES_ON) from error

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):  # the line that found no room, which `write` has reported
            self._handle.close()


def entries(file: Path) -> tuple[list[dict[str, Any]], int]:
    """The lines of a journal, and the number of unreadable ones, such as the last of a killed run."""
    if not file.exists():
        return [], 0
    read, unreadable = [], 0
    # A line cut inside a character is as unreadable as one cut between two.
    for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            entry = None
        if isinstance(entry, dict) and "event" in entry:
            read.append(entry)
        else:
            unreadable += 1
    return read, unreadable


def of_event(folder: Path, event: str) -> list[dict[str, Any]]:
    """The lines of one event in the journal of a run."""
    return [line for line in entries(folder / "journal.jsonl")[0] if line["event"] == event]


def _until(file: Path, step: int) -> str:
    return "".join(json.dumps(entry) + "\n" for entry in entries(file)[0] if _step(entry) <= step)


def _step(entry: Entry) -> float:
    step = entry.get("step", 0)
    return step if isinstance(step, int | float) else 0
