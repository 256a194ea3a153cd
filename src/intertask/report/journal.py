"""What a training journal says: losses by step, metrics by epoch, and why training stopped.

A run that was killed leaves a last line that is cut short. It is left out, counted, and never an error.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from intertask.storage.journal import entries


@dataclass(frozen=True)
class Step:
    """One update: the loss of each task before it was weighed, and what the step cost."""

    step: int
    losses: dict[str, float]
    tokens: int
    seconds: float


@dataclass(frozen=True)
class Validation:
    """The metrics after one epoch, and whether they were the best so far."""

    epoch: int
    metrics: dict[str, float]
    best: bool
    seconds: float


@dataclass(frozen=True)
class Journal:
    """One training run. `told` is said of its tasks; `unreadable` counts the lines that held no event."""

    steps: list[Step] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)
    stop: str = ""
    best_epoch: int | None = None
    told: list[str] = field(default_factory=list)
    unreadable: int = 0

    @property
    def kept_epoch(self) -> int | None:
        """The epoch whose weights were kept: as the run said when it stopped, else the last best one."""
        marked = [validation.epoch for validation in self.validations if validation.best]
        return self.best_epoch if self.best_epoch is not None else (marked[-1] if marked else None)

    @property
    def training_seconds(self) -> float:
        """Time spent in steps, without validation."""
        return sum(step.seconds for step in self.steps)

    @property
    def validation_seconds(self) -> float:
        """Time spent in validation."""
        return sum(validation.seconds for validation in self.validations)

    @property
    def tokens_per_second(self) -> float:
        """Positions trained in a second of training, or 0 where nothing was recorded."""
        return (
            sum(step.tokens for step in self.steps) / self.training_seconds if self.training_seconds else 0.0
        )


def read(file: Path) -> Journal:
    """The journal of a run; an empty one where there is no such file.

    A step or an epoch that occurs twice, as after a resume from a checkpoint, counts once: the last one.
    """
    steps: dict[int, Step] = {}
    validations: dict[int, Validation] = {}
    stop, best_epoch = "", None
    told: dict[str, str] = {}
    events, unreadable = entries(file)
    for event in events:
        try:
            if event["event"] == "step":
                steps[int(event["step"])] = _step(event)
            elif event["event"] == "validation":
                validations[int(event["epoch"])] = _validation(event)
            elif event["event"] == "head":
                told[str(event["task"])] = str(event["words"])
            elif event["event"] == "stop":
                stop, best_epoch = str(event["reason"]), event.get("best_epoch")
        except (ValueError, KeyError, TypeError, AttributeError):
            unreadable += 1
    return Journal(
        [steps[step] for step in sorted(steps)],
        [validations[epoch] for epoch in sorted(validations)],
        stop,
        best_epoch if best_epoch is None else int(best_epoch),
        [words for words in told.values() if words],
        unreadable,
    )


def _step(event: Mapping[str, object]) -> Step:
    return Step(
        int(_number(event["step"])),
        _numbers(event["losses"]),
        int(_number(event.get("tokens", 0))),
        _number(event.get("seconds", 0.0)),
    )


def _validation(event: Mapping[str, object]) -> Validation:
    return Validation(
        int(_number(event["epoch"])),
        _numbers(event["metrics"]),
        bool(event.get("best", False)),
        _number(event.get("seconds", 0.0)),
    )


def _numbers(value: object) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise TypeError("expected a table of numbers")
    numbers = {str(name): _number(number) for name, number in value.items()}
    return {name: number for name, number in numbers.items() if math.isfinite(number)}


def _number(value: object) -> float:
    if not isinstance(value, (int, float)):
        raise TypeError("expected a number")
    return float(value)
