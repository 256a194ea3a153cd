"""Targets that stand in their history, and those that do not: what is bought again, and what is found."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from intertask.evaluate.config import MODEL
from intertask.evaluate.results import Evaluation
from intertask.metrics.direction import MAIN_METRIC

PARTS = ("visited", "unvisited")

Apart = dict[str, dict[str, dict[str, float]]]


def apart(runs: Mapping[str, Mapping[str, Sequence[Path]]]) -> Apart:
    """The mean over the seeds of both parts, by mechanism and task; a part too small for a slice is left out.

    Args:
        runs: By mechanism and task, a run for each seed.
    """
    found: Apart = {}
    for name, by_task in runs.items():
        for task, own in by_task.items():
            seeds = [_parts(run, task) for run in own]
            means = {part: fmean(one[part] for one in seeds) for part in PARTS if part in seeds[0]}
            if means:  # none where the history is masked, or the task ranks nothing
                found.setdefault(name, {})[task] = means
    return found


def counts(runs: Mapping[str, Sequence[Path]]) -> dict[str, dict[str, int]]:
    """How many targets are in both parts of each task."""
    found = {task: _parts(own[0], task, "count") for task, own in runs.items()}
    return {task: {part: int(count) for part, count in own.items()} for task, own in found.items()}


def table(found: Apart, targets: Mapping[str, Mapping[str, int]]) -> str:
    """Markdown: mechanisms as rows, the parts of each task as columns; empty where nothing is visited."""
    if not found:
        return ""
    tasks = list(dict.fromkeys(task for by_task in found.values() for task in by_task))
    heads = [f"{task}, {part}" for task in tasks for part in PARTS]
    lines = [f"| {MAIN_METRIC.upper()} | {' | '.join(heads)} |", "|" + "---|" * (len(heads) + 1)]
    for name, by_task in found.items():
        values = [by_task.get(task, {}).get(part) for task in tasks for part in PARTS]
        lines.append(f"| {name} | {' | '.join('-' if v is None else f'{v:.4f}' for v in values)} |")
    sizes = [targets.get(task, {}).get(part) for task in tasks for part in PARTS]
    lines.append(f"| targets | {' | '.join('-' if size is None else f'{size:,}' for size in sizes)} |")
    return "\n".join(lines)


def _parts(run: Path, task: str, value: str = MAIN_METRIC) -> dict[str, float]:
    return {
        row.slice: row.count if value == "count" else row.metrics[value]
        for row in Evaluation.read(run / "evaluation.json").rankings
        if (row.system, row.task) == (MODEL, task) and row.slice in PARTS
    }
