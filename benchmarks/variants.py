"""Variants of one recipe, trained in the same way and set against each other: what each change brings.

    python benchmarks/variants.py benchmarks/ablation_movielens_1m.toml FOLDER

The file names a base recipe, what all runs change in it, the seeds, and the variants, each with what it
changes on top, by dotted keys; where it has tables, all variants are run for each of them. A run is a
folder FOLDER/VARIANT-SEED; runs that are there are not trained again, so a stopped benchmark goes on
where it was. Prints a Markdown table: the mean over seeds of one metric, its spread, and the paired
difference from the first variant with its 95 % interval, where both were measured under the same
protocol. The figures are of the part that the file names.
"""

import argparse
import copy
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from intertask.errors import ProtocolError
from intertask.evaluate.compare import compare
from intertask.evaluate.results import Evaluation
from intertask.metrics.direction import MAIN_METRIC
from intertask.recipe import Recipe
from intertask.report.figures import measured
from intertask.runs.study import refuse_another


def main() -> None:
    """Train what is missing, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    plan = tomllib.loads(options.file.read_text(encoding="utf-8"))
    options.folder.mkdir(parents=True, exist_ok=True)
    for title, variants in recipes(options.file).items():
        runs = {
            name: [run(options.folder, recipe, seed, plan["part"]) for seed in plan["seeds"]]
            for name, recipe in variants.items()
        }
        print("\n".join([f"**{title}**\n" if title else "", *table(runs, plan), ""]))


def recipes(file: Path) -> dict[str, dict[str, Recipe]]:
    """The recipe of each variant of each table, all of them checked; one table has an empty title."""
    plan = tomllib.loads(file.read_text(encoding="utf-8"))
    base = Recipe.read(file.parent / plan["base"]).model_dump(mode="json")
    always = plan.get("always", {})
    return {
        title: {
            name: Recipe.model_validate(
                changed(base, always | common | own) | {"name": f"{title} {name}".strip()}
            )
            for name, own in plan["variants"].items()
        }
        for title, common in plan.get("tables", {"": {}}).items()
    }


def changed(recipe: dict[str, Any], changes: dict[str, object]) -> dict[str, Any]:
    """A recipe with some dotted keys set; a table as value replaces the whole section."""
    told: dict[str, Any] = json.loads(json.dumps(recipe))
    for path, value in changes.items():
        *sections, key = path.split(".")
        place = told
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = copy.deepcopy(value)  # another change may go into it
    return told


def run(folder: Path, recipe: Recipe, seed: int, part: str) -> Path:
    """Train and evaluate one variant with one seed, unless that has been done."""
    place = folder / f"{recipe.name.replace(' ', '_')}-{seed}"
    refuse_another(recipe.model_copy(update={"seed": seed}), place)
    if not (place / "evaluation.json").is_file():
        file = folder / f"{place.name}.json"
        file.write_text(recipe.to_json(), encoding="utf-8")
        words = [sys.executable, "-m", "intertask"]
        subprocess.run([*words, "train", file, "--run", place, "--seed", str(seed)], check=True)
        subprocess.run([*words, "evaluate", place, "--part", part, "--samples", "0"], check=True)
    return place


def table(runs: dict[str, list[Path]], plan: dict[str, Any]) -> list[str]:
    """The lines of the table; baselines, which no variant changes, stand below."""
    task, history = plan["task"], plan.get("history", "masked")
    first = next(iter(runs.values()))
    lines = [
        f"| Variant | {MAIN_METRIC.upper()} | HR@10 | difference | best epoch | minutes |",
        "|---|---|---|---|---|---|",
    ]
    for name, folders in runs.items():
        found = [figures(folder, task, history) for folder in folders]
        gain, hits = ([figure[key] for figure in found] for key in (MAIN_METRIC, "hr@10"))
        lines.append(
            f"| {name} | {spread(gain)} | {spread(hits)} | {difference(folders, first, task, history)} | "
            f"{spread([figure['epoch'] for figure in found], 0)} | "
            f"{spread([figure['minutes'] for figure in found], 1)} |"
        )
    for row in Evaluation.read(first[0] / "evaluation.json").rankings:
        if (row.task, row.history, row.slice) == (task, history, "all") and row.system != "intertask":
            lines.append(
                f"| *{row.system}* | {row.metrics[MAIN_METRIC]:.4f} | {row.metrics['hr@10']:.4f} | | | |"
            )
    evaluation = Evaluation.read(first[0] / "evaluation.json")
    origins = {
        Evaluation.read(folder / "evaluation.json").provenance.commit
        for own in runs.values()
        for folder in own
    }
    return [
        *lines,
        "",
        f"Task {task}, seeds {plan['seeds']}, commits {', '.join(sorted(origins))}: "
        f"{measured(evaluation.protocol, history)}.",
    ]


def figures(folder: Path, task: str, history: str) -> dict[str, float]:
    """Metrics of the model in one run, its best epoch, and how long it trained."""
    journal = [json.loads(line) for line in (folder / "journal.jsonl").read_text("utf-8").splitlines()]
    best = [entry["epoch"] for entry in journal if entry["event"] == "validation" and entry["best"]]
    (row,) = (
        row
        for row in Evaluation.read(folder / "evaluation.json").rankings
        if (row.system, row.task, row.history, row.slice) == ("intertask", task, history, "all")
    )
    seconds = sum(entry["seconds"] for entry in journal if entry["event"] == "step")
    return row.metrics | {"epoch": best[-1], "minutes": seconds / 60}


def difference(folders: list[Path], first: list[Path], task: str, history: str) -> str:
    """From the first variant, seed by seed; a dash for itself and for another track."""
    if folders == first:
        return "-"
    try:
        pairs = [compare(one, other) for one, other in zip(folders, first, strict=True)]
    except ProtocolError:
        return "another track"
    rows = [
        row
        for pair in pairs
        for row in pair.rows
        if (row.task, row.history, row.metric) == (task, history, MAIN_METRIC)
    ]
    words = "; ".join(
        f"{row.difference:+.4f} ({row.interval.low:+.4f} to {row.interval.high:+.4f})" for row in rows
    )
    return words if len(rows) == 1 else f"{np.mean([row.difference for row in rows]):+.4f}: {words}"


def spread(values: list[float], digits: int = 4) -> str:
    """Mean and standard deviation; the value alone where there is one."""
    mean = f"{np.mean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values, ddof=1):.{digits}f}"


if __name__ == "__main__":
    main()
