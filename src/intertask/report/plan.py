"""What to do after a study: which tasks to train together, which apart, and of which nothing can be said."""

from collections.abc import Iterable

from intertask.evaluate.gains import Change, TaskTransfer, Transfer
from intertask.evaluate.sufficiency import NO_DIFFERENCE

# A two-sided test at 5 % finds a change of 2.80 standard errors four times of five (1.96 + 0.84), and the
# 95 % interval is 2 x 1.96 of them wide. Source: Cohen, "Statistical Power Analysis", 1988, chapter 2.
_SHOWN_FROM = (1.96 + 0.84) / (2 * 1.96)


def plan(found: Transfer) -> list[str]:
    """One line for each thing to do, the tasks that it is about named; of all tasks of the study.

    A task that another pushes against keeps its place, and the other is detached; a task that loses for no
    reason that is seen is better trained by itself. Tasks without a shown change stay together, which costs
    less.
    """
    opposing = {task.opposed_by for task in found.losers if task.opposed_by}
    lost = {task.task for task in found.losers if not task.opposed_by} - opposing
    apart = (opposing | lost) & {task.task for task in found.tasks}
    rest = [task for task in found.tasks if task.task not in apart]
    lines = []
    kept = [task.task for task in rest if not task.alone.too_few]
    if len(kept) > 1:
        lines.append(f"Train together: {_listed(kept)}.")
    if opposing:
        lines.append(f"Detach: {_listed(sorted(opposing))} (detached = true in the section of the task).")
    if lost:
        lines.append(f"Train alone: {_listed(sorted(lost))}, in a recipe without the others.")
    lines += [
        f"Too few targets to say anything of {task.task}: it has {task.alone.too_few}. Keep more back by "
        "[split], or leave it where it is."
        for task in rest
        if task.alone.too_few
    ]
    lines += [_power(task) for task in rest if task.alone.verdict == NO_DIFFERENCE]
    return lines


def detectable(change: Change) -> float:
    """The least change, in percent, that a study of this size finds four times of five."""
    width = change.interval.high - change.interval.low
    return 100 * _SHOWN_FROM * width / abs(change.alone) if change.alone else float("inf")


def _power(task: TaskTransfer) -> str:
    least = detectable(task.alone)
    if least == float("inf"):
        return f"{task.task}: no change is shown; alone it has nothing to compare with."
    return (
        f"{task.task}: no change is shown. A change of {least:.0f} % or more would have been found four "
        "times of five; more seeds or more targets find smaller ones."
    )


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
