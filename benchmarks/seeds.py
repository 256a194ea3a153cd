"""One recipe, trained and tested with several seeds; the figures of each, small enough to commit.

    python benchmarks/seeds.py recipes/movielens_1m.toml [--seeds 1 2 3] [--runs runs] [--results FOLDER]

Runs are runs/RECIPE-SEED; one that is there is not trained again, and one that was stopped goes on. Writes
RESULTS/RECIPE.json: protocol, baselines, and for each seed where its figures come from, the course of
its validation, and what was found on the test part. Prints the mean over the seeds, and its spread.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from intertask.evaluate.results import Evaluation
from intertask.recipe import Recipe
from intertask.report.figures import conditions
from intertask.runs.study import refuse_another

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Train and evaluate what is missing, write, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    runs = [
        trained(options.recipe, options.runs / f"{options.recipe.stem}-{seed}", seed)
        for seed in options.seeds
    ]
    first = Evaluation.read(runs[0] / "evaluation.json")
    found = {
        "recipe": options.recipe.as_posix(),
        "protocol": first.protocol.model_dump(),
        "fingerprint": first.protocol.fingerprint(),
        "seeds": [summary(run, first) for run in runs],
        "baselines": {name: figures for name, figures in metrics(first).items() if name != "intertask"},
    }
    options.results.mkdir(parents=True, exist_ok=True)
    file = options.results / f"{options.recipe.stem}.json"
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{file}: {len(runs)} seeds, {conditions(first)}")
    for line in means(found["seeds"]):
        print(line)


def trained(recipe: Path, run: Path, seed: int) -> Path:
    """Train and evaluate with one seed, unless that has been done."""
    refuse_another(Recipe.read(recipe).model_copy(update={"seed": seed}), run)
    if not (run / "evaluation.json").is_file():
        words = [sys.executable, "-m", "intertask"]
        subprocess.run([*words, "train", recipe, "--run", run, "--seed", str(seed)], check=True)
        subprocess.run([*words, "evaluate", run], check=True)
    return run


def summary(run: Path, first: Evaluation) -> dict[str, Any]:
    """What is kept of one run."""
    evaluation = Evaluation.read(run / "evaluation.json")
    if evaluation.protocol != first.protocol:
        sys.exit(f"{run}: the protocol differs from that of the first seed")
    journal = [json.loads(line) for line in (run / "journal.jsonl").read_text("utf-8").splitlines()]
    epochs = [entry for entry in journal if entry["event"] == "validation"]
    return {
        "seed": evaluation.provenance.seed,
        "commit": evaluation.provenance.commit,
        "date": evaluation.provenance.date,
        "machine": evaluation.provenance.machine,
        "weights": journal[0]["weights"],
        "steps": epochs[-1]["step"],
        "minutes": round(sum(entry.get("seconds", 0.0) for entry in journal) / 60, 1),
        "best_epoch": max(entry["epoch"] for entry in epochs if entry["best"]),
        "validation": {
            name: [round(entry["metrics"][name], 5) for entry in epochs]
            for name in epochs[0]["metrics"]
            if name.endswith("/ndcg@10")
        },
        "test": metrics(evaluation)["intertask"],
    }


def metrics(found: Evaluation) -> dict[str, dict[str, dict[str, float]]]:
    """System -> task and history -> metric, over all targets."""
    told: dict[str, dict[str, dict[str, float]]] = {}
    for row in found.rankings:
        if row.slice == "all":
            figures = {name: round(value, 6) for name, value in row.metrics.items()}
            told.setdefault(row.system, {})[f"{row.task}, history {row.history}"] = figures
    return told


def means(seeds: list[dict[str, Any]]) -> list[str]:
    """A line for each task: mean and standard deviation over the seeds."""
    lines = []
    for task in seeds[0]["test"]:
        words = []
        for name in ("hr@10", "ndcg@10", "mrr@10"):
            values = [seed["test"][task][name] for seed in seeds]
            spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
            words.append(f"{name.upper()} {np.mean(values):.4f}{spread}")
        lines.append(f"{task}: {', '.join(words)}")
    return lines


if __name__ == "__main__":
    main()
