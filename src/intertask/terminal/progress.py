"""What goes on, on standard error: a bar with the time left on a terminal, lines in a file."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from intertask.terminal.console import unguarded
from intertask.terminal.printable import printable

SECONDS_BETWEEN_LINES = 60.0  # where there is no terminal


class Bar(Protocol):
    """What moves a bar."""

    def __call__(self, steps: int = 1, note: str = "") -> None:
        """Move on by some steps, and show a note beside the bar."""
        ...


@lru_cache(maxsize=1)
def _console(stream: TextIO) -> Console:
    """One for all bars: a bar inside another stands below it only on the same console."""
    return Console(file=stream)


@contextmanager
def bar(title: str, total: int | None) -> Iterator[Bar]:
    """A bar on standard error, removed when it is done; it pulses where the total is not known."""
    console = _console(unguarded(sys.stderr))
    beside = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", table_column=beside, markup=False),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(printable(title), total=total, note="")

        last_line, done = time.monotonic(), 0

        def move(steps: int = 1, note: str = "") -> None:
            nonlocal last_line, done
            progress.update(task, advance=steps, note=printable(note))
            done += steps
            if time.monotonic() - last_line >= SECONDS_BETWEEN_LINES:
                last_line = time.monotonic()
                line(f"{title}: {done:,} of {total:,}  {note}" if total else f"{title}: {done:,}  {note}")

        yield move


@dataclass(frozen=True)
class Epoch:
    """What an epoch of training came to.

    Args:
        number: From 0.
        epochs: How many there are to be at most.
        losses: The mean loss of each task over the epoch's steps.
        metrics: The validation metrics.
        best: Whether no epoch before it was better.
        seconds: That it took this process.
    """

    number: int
    epochs: int
    losses: Mapping[str, float]
    metrics: Mapping[str, float]
    best: bool
    seconds: float


_HEARD: ContextVar[Callable[[Epoch], None] | None] = ContextVar("epochs", default=None)


@contextmanager
def heard(on_epoch: Callable[[Epoch], None] | None) -> Iterator[None]:
    """Have a function called at the end of each epoch that is trained in the block, by this thread alone."""
    before = _HEARD.set(on_epoch)
    try:
        yield
    finally:
        _HEARD.reset(before)


def tell(epoch: Epoch) -> None:
    """Call the function that listens to this thread's epochs, if there is one."""
    if (on_epoch := _HEARD.get()) is not None:
        on_epoch(epoch)


def remark(text: str) -> None:
    """Say what to know before long work begins, on a terminal and elsewhere."""
    sys.stderr.write(f"note: {printable(text)}\n")
    sys.stderr.flush()


def line(text: str) -> None:
    """Say what a bar would show, where there is no terminal to show one; the line is there at once."""
    if not _console(unguarded(sys.stderr)).is_terminal:
        sys.stderr.write(f"{printable(text)}\n")
        sys.stderr.flush()
