"""How each task fared over a run whose epochs one metric chooses: where it was best, what was kept of it.

Says in words whose answers were spoilt, and what was done about it.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from intertask.tasks import TaskConfig

SPOILT = 0.02  # of its best metric: a task that has lost more than this by the epoch that is kept is spoilt


@dataclass(frozen=True)
class Course:
    """The reported metric of a task on validation, higher is better.

    Args:
        best: Its best value until now.
        epoch: The epoch of that.
        kept: Its value in the epoch whose weights are kept.
    """

    best: float
    epoch: int
    kept: float

    @property
    def behind(self) -> bool:
        """Whether another epoch than the kept one was better."""
        return self.best > self.kept

    @property
    def spoilt(self) -> bool:
        """Whether the kept epoch is much worse than the best one."""
        return self.best - self.kept > SPOILT * abs(self.best)


def followed(
    courses: Mapping[str, Course],
    tasks: Mapping[str, TaskConfig],
    metrics: Mapping[str, float],
    epoch: int,
    kept: bool,
) -> dict[str, Course]:
    """The courses after one more epoch.

    Args:
        courses: By task, before it.
        tasks: All of them; one without validation targets has no course.
        metrics: Of the epoch, by "task/metric".
        epoch: Its number.
        kept: Whether its weights are kept until a better one comes.
    """
    found = dict(courses)
    for name, task in tasks.items():
        value = metrics.get(f"{name}/{task.answer.reported}", math.nan)
        if not math.isfinite(value):
            continue
        course = found.get(name, Course(value, epoch, value))
        if value > course.best:
            course = replace(course, best=value, epoch=epoch)
        found[name] = replace(course, kept=value) if kept else course
    return found


@dataclass(frozen=True)
class Verdict:
    """What came of a task in the end.

    Args:
        task: Its name.
        metric: Name of its reported metric.
        course: Over the run.
        own_head: The metric with the head of its own best epoch; None where the head stays as it is.
        base: That of the same answer to every row, the best of its kind; None where nobody knows.
    """

    task: str
    metric: str
    course: Course
    own_head: float | None = None
    base: float | None = None

    def after(self, own_head: float | None) -> "Verdict":
        """The same with a head that was set back."""
        return replace(self, own_head=own_head)

    @property
    def below_base(self) -> bool:
        """Whether the model answers worse than one that looks at nothing."""
        ended = self.course.kept if self.own_head is None else self.own_head
        return self.base is not None and ended < self.base

    @property
    def worth_a_word(self) -> bool:
        """Whether somebody has to know."""
        return self.course.spoilt or self.below_base

    def line(self) -> dict[str, object]:
        """For the journal."""
        return asdict(self)

    def words(self, chosen_by: str, best_epoch: int) -> str:
        """One sentence: what happened, what was done, what is left to do.

        Args:
            chosen_by: The metric that chose the epoch.
            best_epoch: The epoch.
        """
        name, course = self.metric.removeprefix("-"), self.course
        kept = f"{abs(course.kept):.4g}"
        said = f"Task {self.task}: validation {name} {kept}"
        if course.epoch != best_epoch:
            said += f" at epoch {best_epoch}, which {chosen_by} chose, "
            said += f"and {abs(course.best):.4g} at epoch {course.epoch}"
        if self.own_head is not None:
            said += f"; with its head as of epoch {course.epoch}, which it now has, {abs(self.own_head):.4g}"
        if self.below_base and self.base is not None:
            said += (
                f"; worse than {abs(self.base):.4g}, one answer to everything: do not use it, or give it "
                "more labels, a lower weight, or detached = true"
            )
        return f"{said}."
