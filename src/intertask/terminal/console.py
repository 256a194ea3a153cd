"""The terminal. Whatever is written to it passes a guard that lets printable text through and nothing else.

Values are made printable where they enter a line; the guard is for those that nobody thought of.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from intertask.terminal.printable import printable

_COLOURS = re.compile("(\x1b\\[[0-9;]*m)")


class Guarded:
    """A text stream that escapes what cannot be printed, or not in its encoding; on a terminal colours pass.

    Args:
        stream: Where the text goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.encoding, self.errors = stream.encoding or "utf-8", "backslashreplace"

    def write(self, text: str) -> int:
        """Write a text, escaped."""
        if not isinstance(text, str):
            raise TypeError(f"expected text, found {type(text).__name__}")
        parts = _COLOURS.split(text) if self.isatty() else [text]
        safe = "".join(
            part if place % 2 else printable(part, keep="\n\t") for place, part in enumerate(parts)
        )
        self.stream.write(safe.encode(self.encoding, self.errors).decode(self.encoding))
        return len(text)

    def flush(self) -> None:
        """Hand on what is waiting."""
        self.stream.flush()

    def isatty(self) -> bool:
        """Whether a person is looking."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """The descriptor of the stream."""
        return self.stream.fileno()


@contextmanager
def guarded() -> Iterator[None]:
    """Guard standard output and standard error."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = cast(TextIO, Guarded(out)), cast(TextIO, Guarded(err))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def unguarded(stream: TextIO) -> TextIO:
    """The stream behind its guard, for drawings that move the cursor, whose words are printable already."""
    return stream.stream if isinstance(stream, Guarded) else stream
