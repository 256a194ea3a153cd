"""Whether the validation targets are enough to choose an epoch by. Knows nothing of training.

NDCG@10 of one target has a standard deviation of about 0.3: over 500 targets its mean is known within 0.013,
over 85 within 0.03, which is more than most epochs differ by. An AUC is known about as well as its rarer
answer is frequent: within 0.03 from a hundred of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from intertask.evaluate.results import Finding

ALL = "all"  # the metric over all tasks
LEAST = 500  # targets
LEAST_RARE = 100  # targets with the rarer of two answers


@dataclass(frozen=True)
class Basis:
    """What a task's validation metrics are taken from.

    Args:
        targets: Number of its validation targets.
        rare: How many of them have the rarer answer, where there are two; None for all other tasks.
        word: What the rarer answer is called.
        detached: Whether the task is, so that the metric over all tasks leaves it out.
    """

    targets: int
    rare: int | None = None
    word: str = "positive"
    detached: bool = False

    @property
    def is_thin(self) -> bool:
        """Whether an epoch chosen by it is chosen by chance in good part."""
        return self.size < 1

    @property
    def size(self) -> float:
        """As a multiple of what is enough."""
        share = self.targets / LEAST
        return share if self.rare is None else min(share, self.rare / LEAST_RARE)

    @property
    def weight(self) -> float:
        """What the task counts by in the metric over all tasks: 1, or less where it cannot choose alone."""
        return min(1.0, max(self.size, 1 / LEAST))

    def __str__(self) -> str:
        if self.rare is not None and self.rare / LEAST_RARE < self.targets / LEAST:
            return f"{_counted(self.rare, self.word)} among {_counted(self.targets, 'validation target')}"
        return _counted(self.targets, "validation target")

    @property
    def needed(self) -> str:
        """What would be enough, of what there is least of."""
        rare = self.rare is not None and self.rare / LEAST_RARE < self.targets / LEAST
        return f"{LEAST_RARE:,} {self.word}s" if rare else f"{LEAST:,}"


def thin_choice(monitor: str, bases: Mapping[str, Basis]) -> Finding | None:
    """What to know where the metric that chooses the epoch is taken from few targets.

    Args:
        monitor: The metric; "all" is as thin as its best task, since it counts thin ones by less.
        bases: By task; tasks without validation targets are none of them.
    """
    chooses = monitor.partition("/")[0]
    own = {
        task: basis
        for task, basis in bases.items()
        if task == chooses or (monitor == ALL and not basis.detached)
    }
    if not own:
        return None
    task = max(own, key=lambda name: own[name].size)
    if not own[task].is_thin:
        return None
    better = next((name for name, basis in bases.items() if not (basis.is_thin or basis.detached)), None)
    other = f"[train] monitor of task {better}, which has {bases[better]}; " if better is not None else ""
    return Finding(
        name="thin_choice",
        severity="note",
        text=f"Task {task} has {own[task]} to choose the epoch by: below {own[task].needed} the choice is "
        "chance in good part.",
        advice=f"Try {other}a [split] that keeps more back, or several seeds.",
    )


def uncalibrated(probable: Iterable[str], bases: Mapping[str, Basis]) -> Finding | None:
    """What to know of tasks whose probabilities nothing has checked.

    Args:
        probable: The tasks that answer with probabilities.
        bases: By task; those without validation targets are none of them.
    """
    lacking = [task for task in probable if task not in bases]
    if not lacking:
        return None
    several = len(lacking) > 1
    named = f"Tasks {', '.join(lacking)} have" if several else f"Task {lacking[0]} has"
    return Finding(
        name="uncalibrated",
        severity="note",
        text=f"{named} no validation target: the probabilities are not calibrated, and the "
        "epoch was chosen without regard to "
        f"{'them' if several else 'it'}.",
        advice="Take a [split] that keeps targets of each task back.",
    )


def choosing_part(part: Literal["validation", "test"]) -> Finding | None:
    """What to know of figures of the part that chose the epoch."""
    if part == "test":
        return None
    return Finding(
        name="choosing_part",
        severity="warning",
        text="Measured on validation data, on which the epoch was chosen: no test result.",
        advice="Evaluate the test part once, when every choice has been made.",
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
