"""Tries hostile inputs by the hundred, within limits of time and memory, and counts how each of them ends.

A fuzzer is a function of a random generator that makes one input, hands it to the program and asserts that
the answer is right. It ends in one of four ways: it returns (answered), it raises an error that a user may
see (refused), it fails an assertion (wrong answer), or it raises anything else (a traceback). The last two
are failures, and so are a message that is too long, an input that takes too long, and one that needs too
much memory.

    def one(random):
        table = mutated(random)
        frame = model.recommend(**table)
        assert frame["score"].is_finite().all()

    def test_odd_requests_are_answered_or_refused():
        fuzz(one, inputs=150, allowed=RequestError)

INTERTASK_FUZZ=2500 sets the number of inputs of every fuzzer, INTERTASK_FUZZ_FROM=137 the first of them, so
that a failure is tried again alone. What was counted is printed (pytest -s).
"""

import faulthandler
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from intertask.errors import IntertaskError

LONGEST_MESSAGE = 1_000  # characters
MOST_LINES = 3
SHOWN = 5  # failures in the message of a failed test
HOPELESS = 60  # seconds after which even code that no signal reaches is ended, and the process with it
ROOM = 8 << 30  # bytes of addresses beyond those in use: what asks for more fails at once instead of swapping
_PEAK, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Hang(BaseException):
    """An input took too long; no `except Exception` swallows it."""


@dataclass
class Counts:
    """How the inputs of one fuzzer ended.

    Args:
        inputs: How many were tried.
        answered: Those that were answered rightly.
        refused: Those that were refused with an error that a user may see.
        failures: The others, each with its number.
        kinds: How often each kind of outcome occurred: "answered", "refused", "wrong", ...
        slowest: Seconds of the slowest input.
        megabytes: Most memory that one input needed beyond what was in use before it.
    """

    inputs: int = 0
    answered: int = 0
    refused: int = 0
    failures: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    megabytes: float = 0.0

    def summary(self) -> str:
        """One line."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        return (
            f"{self.inputs} inputs: {kinds}; slowest {self.slowest:.2f} s, "
            f"at most {self.megabytes:.0f} MB for one"
        )


def fuzz(
    one: Callable[[np.random.Generator], object],
    *,
    inputs: int,
    seed: int = 1,
    allowed: type[Exception] | tuple[type[Exception], ...] = IntertaskError,
    seconds: float = 5.0,
    megabytes: float = 1_000.0,
) -> Counts:
    """Try inputs, and fail where one of them ends as it must not.

    Args:
        one: Makes one input from the generator and tries it.
        inputs: How many.
        seed: Of all inputs; input 7 of seed 1 is the same whatever came before it.
        allowed: The errors by which an input may be refused.
        seconds: Longest time of one input.
        megabytes: Most memory of one input, beyond what was in use before it.

    Raises:
        AssertionError: Names the first failures.
    """
    inputs = int(os.environ.get("INTERTASK_FUZZ", str(inputs)))
    first = int(os.environ.get("INTERTASK_FUZZ_FROM", "0"))
    counts = Counts()
    with _limited_memory():
        for number in range(first, first + inputs):
            _try(one, np.random.default_rng([seed, number]), number, counts, allowed, seconds, megabytes)
    sys.stdout.write(f"\n{getattr(one, '__qualname__', one)}: {counts.summary()}\n")
    shown = "\n".join(counts.failures[:SHOWN])
    assert not counts.failures, f"{counts.summary()}; {len(counts.failures)} failed:\n{shown}"
    return counts


def _try(
    one: Callable[[np.random.Generator], object],
    random: np.random.Generator,
    number: int,
    counts: Counts,
    allowed: type[Exception] | tuple[type[Exception], ...],
    seconds: float,
    megabytes: float,
) -> None:
    before, start = _fresh_peak(), time.monotonic()
    kind, story = "answered", ""
    try:
        with _time_limit(seconds):
            one(random)
    except allowed as error:
        kind = "refused"
        if len(str(error)) > LONGEST_MESSAGE or str(error).count("\n") >= MOST_LINES:
            kind, story = "long message", f"{len(str(error))} characters: {str(error)[:LONGEST_MESSAGE]}"
    except Hang:
        kind, story = "hang", traceback.format_exc(limit=-8)
    except AssertionError:
        kind, story = "wrong", traceback.format_exc(limit=-8)
    except Exception:  # whatever it is, it is what the fuzzer looks for
        kind, story = "traceback", traceback.format_exc(limit=-8)
    taken, needed = time.monotonic() - start, _peak() - before
    if taken > seconds and not story:
        kind, story = "hang", f"{taken:.1f} s"
    if needed > megabytes and not story:
        kind, story = "memory", f"{needed:.0f} MB"
    counts.inputs += 1
    counts.answered += kind == "answered"
    counts.refused += kind == "refused"
    counts.kinds[kind] += 1
    counts.slowest, counts.megabytes = max(counts.slowest, taken), max(counts.megabytes, needed)
    if story:
        counts.failures.append(f"input {number}: {kind}: {story}")


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raises `Hang` in the block after some time; code that no signal reaches is ended with the process."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("signals reach the main thread alone")

    def ring(*_arguments: object) -> None:
        raise Hang

    previous = signal.signal(signal.SIGALRM, ring)
    faulthandler.dump_traceback_later(HOPELESS + seconds, exit=True, file=sys.__stderr__ or sys.stderr)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def _limited_memory() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = _kilobytes("VmSize") * 1024
    limited = bool(used) and soft == resource.RLIM_INFINITY
    if limited:
        resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, hard))
    try:
        yield
    finally:
        if limited:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _fresh_peak() -> float:
    """Megabytes in use, after the peak has been set back to them where the system can."""
    try:
        _RESET.write_text("5")
    except OSError:
        return _peak()
    return _kilobytes("VmRSS") / 1024


def _peak() -> float:
    """Most megabytes that were in use since the peak was set back, or ever."""
    return (_kilobytes("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


def _kilobytes(name: str) -> int:
    """A line of the process's status; 0 where the system has none."""
    try:
        lines = _PEAK.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
