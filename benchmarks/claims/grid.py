"""Every mechanism between tasks on one data set: what each task gains or loses against being trained alone.

    python benchmarks/claims/grid.py benchmarks/claims/retailrocket.toml FOLDER
        [--seeds 1 2 3] [--mechanisms none PLE "gated slots" ...] [--part test]

All arms have the recipe's encoder, input, loss, balance and budget. The width of a mechanism's hidden layers
is chosen so that it has as many weights as gated slots have by default (task attention has none, and fewer
weights); a task alone has one of the experts of `none`, as wide as that takes. "one by one" is a model of
gated slots for each task, whose slot remembers, too: what gated slots change against that is what the tasks
do for each other. Runs are folders ARM-SEED below FOLDER, which may be stopped and go on; what is there is
not trained again. Prints Markdown, with targets that stand in their history and the others apart where both
are ranked, and writes FOLDER/grid.json.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import visited

from intertask.evaluate.compare import per_target
from intertask.evaluate.gains import Change, changes, closed_edges, num_weights
from intertask.evaluate.results import Evaluation
from intertask.metrics.direction import MAIN_METRIC
from intertask.options.config import parse_plugin
from intertask.recipe import Recipe
from intertask.report.figures import measured
from intertask.runs.study import alone, mechanism_weights, run_arm, settled
from intertask.storage.journal import of_event

Build = Callable[[int], dict[str, Any]]  # the width of hidden layers to a [communication] section
MECHANISMS: dict[str, Build] = {
    "none": lambda inner: {"kind": "none", "inner": inner},
    "shared bottom": lambda inner: {"kind": "mmoe", "num_experts": 1, "inner": inner},
    "cross-stitch": lambda inner: {"kind": "cross_stitch", "inner": inner},
    "MMoE": lambda inner: {"kind": "mmoe", "num_experts": 4, "inner": inner},
    "PLE": lambda inner: {"kind": "ple", "num_levels": 2, "inner": inner},
    "AdaTT": lambda inner: {"kind": "adatt", "inner": inner},
    "STEM": lambda inner: {"kind": "stem", "inner": inner},
    "AITM": lambda inner: {"kind": "aitm", "inner": inner},
    "attention": lambda inner: {"kind": "attention"},
    "gated slots": lambda inner: {"kind": "gated_slots", "inner": inner},
    "without null": lambda inner: {"kind": "gated_slots", "inner": inner, "nothing": False},
    "without output gate": lambda inner: {"kind": "gated_slots", "inner": inner, "output_gate": False},
    "gradient gate open": lambda inner: {"kind": "gated_slots", "inner": inner, "gradient": 1.0},
    "without closing": lambda inner: {"kind": "gated_slots", "inner": inner, "close_edges": False},
    "without sequence": lambda inner: {"kind": "gated_slots", "inner": inner, "sequence": False},
    "without shared slots": lambda inner: {"kind": "gated_slots", "inner": inner, "num_shared": 0},
}
USUAL = tuple(MECHANISMS)[:10]
OURS = "gated slots"
ONE_BY_ONE = "one by one"
# With all seeds; the others with the first alone.
THRICE = ("none", "shared bottom", "PLE", "attention", "gated slots", ONE_BY_ONE)


def arguments(doc: str | None, *, recipe: bool = True, mechanism: bool = True) -> argparse.ArgumentParser:
    """What all claims are told on the command line."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawTextHelpFormatter)
    if recipe:
        parser.add_argument("recipe", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    if mechanism:
        parser.add_argument("--mechanism", choices=list(MECHANISMS), default="gated slots")
    return parser


def main() -> None:
    """Train what is missing, print."""
    parser = arguments(__doc__, mechanism=False)
    parser.add_argument("--mechanisms", nargs="*", choices=[*MECHANISMS, ONE_BY_ONE], default=list(USUAL))
    parser.add_argument("--part", choices=["validation", "test"], default="test")
    options = parser.parse_args()
    recipe = settled(Recipe.read(options.recipe), options.recipe.parent)
    sizes = Sizes(recipe)
    singles = {
        task: [run_arm(arm, options.folder, words, seed, options.part) for seed in options.seeds]
        for task, (arm, words) in ((task, by_itself(recipe, task, "none", sizes)) for task in recipe.tasks)
    }
    lines, done, every = {}, {}, [run for runs in singles.values() for run in runs]
    for name in options.mechanisms:
        seeds = options.seeds if name in THRICE else options.seeds[:1]
        chosen = arms(recipe, name, sizes)
        trained = {
            words: [run_arm(arm, options.folder, words, seed, options.part) for seed in seeds]
            for words, arm in {words: arm for arm, words in chosen.values()}.items()
        }
        every += [run for runs in trained.values() for run in runs]
        done[name] = {task: trained[words] for task, (_, words) in chosen.items()}
        lines[name] = line(done[name], {task: own[: len(seeds)] for task, own in singles.items()})
    ours = done.get(OURS, {})
    against = {
        name: line({task: own[: len(other[task])] for task, own in ours.items()}, other)
        for name, other in done.items()
        if ours and name != OURS
    }
    evaluation = Evaluation.read(next(iter(singles.values()))[0] / "evaluation.json")
    found = {
        "recipe": recipe.name,
        "seeds": options.seeds,
        "origin": origin(every),
        "protocol": evaluation.protocol.model_dump(),
        "fingerprint": evaluation.fingerprint,
        "metrics": {task: metric(runs[0], task) for task, runs in singles.items()},
        "alone": {task: num_weights(runs[0]) for task, runs in singles.items()},
        "mechanisms": lines,
        "against": against,
        "visited": visited.apart({"alone": singles, **done}),
        "visited_targets": visited.counts(singles),
    }
    (options.folder / "grid.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(told_as_tables(found))


def told_as_tables(found: dict[str, Any]) -> str:
    """Markdown of what grid.json holds."""
    parts = [table(found), visited.table(found["visited"], found["visited_targets"])]
    return "\n\n".join(part for part in parts if part)


def metric(run: Path, task: str) -> str:
    """What a task is told in."""
    own = per_target(run, MAIN_METRIC)
    return str(own.filter(own["task"] == task)["metric"][0])


def origin(runs: Sequence[Path]) -> str:
    """How runs were measured, all of them in the same way, and what commits they are of."""
    found = [Evaluation.read(run / "evaluation.json") for run in runs]
    (protocol,) = {one.protocol for one in found}
    seeds, commits = ({getattr(one.provenance, name) for one in found} for name in ("seed", "commit"))
    return f"{measured(protocol)} · seeds {sorted(seeds)} · commit {', '.join(sorted(commits))}"


class Sizes:
    """How wide the hidden layers of a mechanism are, so that all have about as many weights.

    Args:
        recipe: With the tasks that the mechanism is between.
        target: How many weights; as gated slots have by default where left out.
    """

    def __init__(self, recipe: Recipe, target: int | None = None) -> None:
        self.recipe = recipe
        self.target = self.count("gated slots", 4 * recipe.width) if target is None else target

    def count(self, name: str, inner: int) -> int:
        """Weights of a mechanism."""
        config = parse_plugin("communication", MECHANISMS[name](inner), name)
        return mechanism_weights(self.recipe, config)  # type: ignore[arg-type]

    def inner(self, name: str) -> int:
        """The width that comes nearest; counts rise with it, or do not depend on it."""
        widths = range(1, 64 * self.recipe.width)
        low, high = 0, len(widths) - 1
        while low < high:
            middle = (low + high) // 2
            if self.count(name, widths[middle]) < self.target:
                low = middle + 1
            else:
                high = middle
        around = [width for width in (widths[low] - 1, widths[low]) if width >= 1]
        return min(around, key=lambda width: abs(self.count(name, width) - self.target))


def joint(recipe: Recipe, name: str, sizes: Sizes) -> Recipe:
    """All tasks above one mechanism."""
    section = parse_plugin("communication", MECHANISMS[name](sizes.inner(name)), name)
    return recipe.model_copy(update={"communication": section})


def by_itself(recipe: Recipe, task: str, name: str, sizes: Sizes) -> tuple[Recipe, str]:
    """One task alone above a mechanism for it, such as one of the experts of `none`; the name of its runs."""
    words = {"none": "alone", "gated slots": "slots"}.get(name, name.replace(" ", "_"))
    one = alone(recipe, task)
    if name == "none":
        sizes = Sizes(one, sizes.target)
    return joint(one, name, sizes), f"{words}-{task}"


def arms(recipe: Recipe, name: str, sizes: Sizes) -> dict[str, tuple[Recipe, str]]:
    """The recipe in which each task is trained, and the name of its runs."""
    if name == ONE_BY_ONE:
        return {task: by_itself(recipe, task, "gated slots", sizes) for task in recipe.tasks}
    return dict.fromkeys(recipe.tasks, (joint(recipe, name, sizes), name.replace(" ", "_")))


def told(change: Change) -> str:
    """A change in percent, with its interval; as it is where nothing is what it would be in percent of."""
    if not change.alone:
        return f"{change.difference:+.4f}"
    low, high = (100 * end / abs(change.alone) for end in (change.interval.low, change.interval.high))
    return f"{change.percent:+.1f} % ({low:+.1f} to {high:+.1f})"


def line(runs: dict[str, list[Path]], singles: dict[str, list[Path]]) -> dict[str, Any]:
    """What one mechanism did."""
    found = changes(runs, singles)
    models = list(dict.fromkeys(own[0] for own in runs.values()))
    steps = [row["seconds"] for run in models for row in of_event(run, "step")]
    return {
        "seeds": len(next(iter(runs.values()))),
        "weights": sum(map(num_weights, models)),
        "step_seconds": round(sum(steps) / len(steps), 5),
        "tasks": {task: change.model_dump() for task, change in found.items()},
        "open_edges": [edges for edges in map(open_edges, next(iter(runs.values()))) if edges],
        "closed_edges": {reader: edges for run in models for reader, edges in closed_edges(run).items()},
    }


def open_edges(run: Path) -> tuple[int, int] | None:
    """How many edges are open in the weights that a run kept, and of how many; None where it has none."""
    kept = kept_edges(run)
    return (sum(kept.values()), len(kept)) if kept else None


def kept_edges(run: Path) -> dict[tuple[str, str], bool]:
    """Whether each edge that was judged, by reader and source, is open in the weights that a run kept."""
    judged = {
        (verdict["reader"], verdict["source"])
        for line in of_event(run, "edges")
        for verdict in line["verdicts"]
    }
    closed = closed_edges(run)
    return {(reader, source): source not in closed.get(reader, []) for reader, source in judged}


def table(found: dict[str, Any]) -> str:
    """Markdown: mechanisms as rows, the change of each task as columns; then ours against each other one."""
    tasks = list(found["alone"])
    lines = _rows("Mechanism", found["mechanisms"], tasks)
    if found["against"]:
        lines += ["", *_rows(f"{OURS.capitalize()}, against", found["against"], tasks)]
    for name, row in found["mechanisms"].items():
        if row["open_edges"] and name == OURS:
            seeds = ", ".join(f"{still} of {every}" for still, every in row["open_edges"])
            lines += ["", f"{name.capitalize()}, edges open in the weights that were kept, by seed: {seeds}."]
    metrics = ", ".join(f"{task} {metric}" for task, metric in found["metrics"].items())
    lines += [
        "",
        f"{found['recipe']}: {found['origin']}. {metrics}. Changes with 95 % intervals, paired bootstrap "
        "over users and seeds; ▲ and ▼: p below 5 % after Holm's correction over the tasks; one seed knows "
        "nothing of the luck of training. From the one to the other, with the same seeds.",
    ]
    return "\n".join(lines)


def _rows(head: str, mechanisms: dict[str, Any], tasks: Sequence[str]) -> list[str]:
    lines = [
        f"| {head} | seeds | weights | {' | '.join(tasks)} | mean | worst | losses |",
        "|" + "---|" * (len(tasks) + 6),
    ]
    for name, row in mechanisms.items():
        rows = {task: Change.model_validate(row["tasks"][task]) for task in tasks}
        percents = [change.percent for change in rows.values()]
        marks = {"gains": " ▲", "loses": " ▼"}
        cells = " | ".join(
            f"{change.alone:.4f} to {change.together:.4f}, {told(change)}{marks.get(change.verdict, '')}"
            for change in rows.values()
        )
        losses = sum(change.verdict == "loses" for change in rows.values())
        mean, worst = sum(percents) / len(percents), min(percents)
        lines.append(
            f"| {name} | {row['seeds']} | {row['weights']:,} | {cells} | {mean:+.1f} % | {worst:+.1f} % | "
            f"{losses} |"
        )
    return lines


if __name__ == "__main__":
    main()
