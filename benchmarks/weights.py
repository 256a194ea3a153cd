"""Weights that are set by hand against the default of 1: whether anybody has to look for one.

    python benchmarks/weights.py RECIPE TASK FOLDER [--weights 0.1 0.3 1 3 10] [--seeds 1] [--part validation]

Trains the recipe once for each weight of the task and each seed; a run that is there is not trained again.
Prints a Markdown table: what each task measures itself by, NDCG@10 or the likelihood of a label (e to the
minus log loss), their geometric mean over the tasks, and that mean beside the one of the weight 1.
"""

import argparse
from pathlib import Path

import numpy as np

from intertask.evaluate.results import Evaluation
from intertask.metrics.direction import MAIN_METRIC
from intertask.recipe import Recipe
from intertask.report.figures import conditions
from variants import run


def figures(folder: Path) -> dict[str, float]:
    """What each task measures itself by, where more is better."""
    found = Evaluation.read(folder / "evaluation.json")
    own = [
        row for row in (*found.rankings, *found.responses) if (row.system, row.slice) == ("intertask", "all")
    ]
    return {
        row.task: row.metrics[MAIN_METRIC]
        if MAIN_METRIC in row.metrics
        else float(np.exp(-row.metrics["log_loss"]))
        for row in own
        if MAIN_METRIC in row.metrics or "log_loss" in row.metrics
    }


def mean(own: dict[str, float]) -> float:
    """Over the tasks, geometric."""
    return float(np.exp(np.mean(np.log(np.clip(list(own.values()), 1e-6, None)))))


def main() -> None:
    """Train what is missing, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("task")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=float, nargs="*", default=[0.1, 0.3, 1.0, 3.0, 10.0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--part", default="validation", choices=["validation", "test"])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    weights = list(dict.fromkeys([1.0, *options.weights]))
    runs = {}
    for weight in weights:
        recipe = Recipe.read(
            options.recipe,
            [f"tasks.{options.task}.weight={weight}", f'name="weight {weight:g}"', "train.refit=false"],
        )
        runs[weight] = [run(options.folder, recipe, seed, options.part) for seed in options.seeds]
    found = {weight: [figures(folder) for folder in own] for weight, own in runs.items()}
    tasks = list(found[1.0][0])
    print(f"| weight of {options.task} | {' | '.join(tasks)} | mean | beside the default |")
    print("|---" * (len(tasks) + 3) + "|")
    default = np.mean([mean(own) for own in found[1.0]])
    for weight in sorted(weights):
        each = [np.mean([own[task] for own in found[weight]]) for task in tasks]
        whole = np.mean([mean(own) for own in found[weight]])
        columns = " | ".join(f"{value:.4f}" for value in (*each, whole))
        print(f"| {weight:g} | {columns} | {100 * (whole / default - 1):+.1f} % |")
    first = Evaluation.read(runs[1.0][0] / "evaluation.json")
    print(f"\n{options.recipe.name}, seeds {options.seeds}, {conditions(first)}")


if __name__ == "__main__":
    main()
