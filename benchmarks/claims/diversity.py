"""Diversity: what the lists are like that a task serves, trained alone and together.

    python benchmarks/claims/diversity.py FOLDER [--mechanism "gated slots"]

FOLDER is one of grid.py, whose runs are read; none is trained. Lists of 10: the share of the catalogue that
is served at all (coverage), how few users know an item (novelty, bits), how unlike the items of a list are
(diversity, one minus the cosine of their users or tags), and the share of the most popular tenth. Means over
the seeds, and the differences of all seeds.
"""

import argparse
from pathlib import Path

import numpy as np
from grid import MECHANISMS, origin

from intertask.evaluate.results import Evaluation

METRICS = ("coverage@10", "novelty@10", "diversity@10", "popularity_share@10")


def main() -> None:
    """Read, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mechanism", choices=list(MECHANISMS), default="gated slots")
    options = parser.parse_args()
    arm = options.mechanism.replace(" ", "_")
    seeds = sorted(place.name.rpartition("-")[2] for place in options.folder.glob(f"{arm}-*"))
    every = [options.folder / f"{arm}-{seed}" for seed in seeds]
    together = [Evaluation.read(run / "evaluation.json") for run in every]
    print(f"| Task | lists | {' | '.join(metric.partition('@')[0] for metric in METRICS)} |")
    print("|" + "---|" * (2 + len(METRICS)))
    for task in dict.fromkeys(row.task for row in together[0].lists):
        own = [options.folder / f"alone-{task}-{seed}" for seed in seeds]
        alone = [Evaluation.read(run / "evaluation.json") for run in own]
        every += own
        one, both = (np.array([figures(found, task) for found in runs]) for runs in (alone, together))
        for name, values in (("alone", one), ("together", both)):
            print(f"| {task} | {name} | {' | '.join(f'{value:.4f}' for value in values.mean(0))} |")
        changes = [" ".join(f"{value:+.4f}" for value in column) for column in (both - one).T]
        print(f"| {task} | difference by seed | {' | '.join(changes)} |")
    print(f"\n{options.mechanism}: {origin(every)}.")


def figures(found: Evaluation, task: str) -> list[float]:
    """Of the model's lists, under the way to treat the history that the recipe names first."""
    row = next(row for row in found.lists if row.system == "intertask" and row.task == task)
    return [row.metrics[metric] for metric in METRICS]


if __name__ == "__main__":
    main()
