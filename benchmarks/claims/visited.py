"""Targets that stand in their history, and those that do not: what is bought again, and what is found."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from intertask.evaluate.config import MODEL
from intertask.evaluate.results import Evaluation

PARTS = ("visited", "unvisited")
METRIC = "ndcg@10"


def apart(runs: Mapping[str, Mapping[str, Sequence[Path]]]) -> str:
    """Markdown: each mechanism's mean over the seeds, by task and part; empty where the history is masked.

    Args:
        runs: By mechanism and task, a run for each seed.
    """
    found = {
        name: {task: [_parts(run, task) for run in own] for task, own in by_task.items()}
        for name, by_task in runs.items()
    }
    counts = {
        task: {part: count for part, (_, count) in own[0].items()}
        for task, own in next(iter(found.values())).items()
        if own[0].keys() == set(PARTS)
    }
    if not counts:
        return ""
    heads = [f"{task}, {count} {part}" for task, own in counts.items() for part, count in own.items()]
    lines = [f"| {METRIC.upper()} | seeds | {' | '.join(heads)} |", "|" + "---|" * (len(heads) + 2)]
    for name, by_task in found.items():
        means = [fmean(one[part][0] for one in by_task[task]) for task in counts for part in PARTS]
        seeds = len(next(iter(by_task.values())))
        lines.append(f"| {name} | {seeds} | {' | '.join(f'{mean:.4f}' for mean in means)} |")
    return "\n".join(lines)


def _parts(run: Path, task: str) -> dict[str, tuple[float, int]]:
    rows = {
        row.slice: (row.metrics[METRIC], row.count)
        for row in Evaluation.read(run / "evaluation.json").rankings
        if (row.system, row.task) == (MODEL, task)
    }
    return {part: rows[part] for part in PARTS if part in rows}
