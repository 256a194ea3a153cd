"""Results of evaluated runs as Markdown: every system, every task, visited and unvisited items apart.

python benchmarks/tables.py --title RetailRocket runs/retailrocket > docs/evidence/results/retailrocket.md
python benchmarks/tables.py                  # all recipes in benchmarks/results, over their seeds
"""

import argparse
import json
import statistics
from collections.abc import Iterator
from pathlib import Path

from intertask.evaluate.results import Evaluation, ScoreRow

SLICES = ("all", "visited", "unvisited")
RESULTS = Path(__file__).parent / "results"
METRICS = ("hr@10", "ndcg@10", "mrr@10")


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*")
    parser.add_argument("--title", default="the recipes")
    options = parser.parse_args()
    if not options.runs:
        print("\n".join(_seeds(sorted(RESULTS.glob("*.json")))))
        return
    print(f"# Results: {options.title}\n")
    print("Made by `benchmarks/tables.py` from the runs of the recipes. Intervals: 95 %, over users.\n")
    for run in options.runs:
        found = Evaluation.read(run / "evaluation.json")
        print("\n".join(_run(found, run.name)))


def _seeds(files: list[Path]) -> Iterator[str]:
    yield "## Over seeds\n"
    yield "Mean and standard deviation on the test part, from `benchmarks/results`.\n"
    yield (
        "| Recipe | task | seeds | HR@10 | NDCG@10 | best baseline | validation NDCG@10 | commit | "
        "fingerprint of the test part |"
    )
    yield "|" + "---|" * 9
    for file in files:
        found = json.loads(file.read_text(encoding="utf-8"))
        for task in found["seeds"][0]["test"]:
            hits, gain = (
                _spread([seed["test"][task][metric] for seed in found["seeds"]]) for metric in METRICS[:2]
            )
            system = max(found["baselines"], key=lambda name: found["baselines"][name][task]["ndcg@10"])
            best = found["baselines"][system][task]["ndcg@10"]
            course = f"{task.partition(',')[0]}/ndcg@10"
            chosen = _spread([max(seed["validation"][course]) for seed in found["seeds"]])
            commits = ", ".join(sorted({seed["commit"][:7] for seed in found["seeds"]}))
            yield (
                f"| `{found['recipe']}` | {task} | {len(found['seeds'])} | {hits} | {gain} | "
                f"{system} {best:.4f} | {chosen} | {commits} | {found['fingerprint']} |"
            )
    yield ""


def _spread(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.4f}"
    return f"{mean} ± {statistics.stdev(values):.4f}" if len(values) > 1 else mean


def _run(found: Evaluation, name: str) -> Iterator[str]:
    protocol, origin = found.protocol, found.provenance
    yield f"## {found.model}\n"
    yield (
        f"`recipes/{name}.toml`, seed {origin.seed}, commit {origin.commit}, {origin.date}, "
        f"{origin.machine}. "
        f"Data {protocol.data[:12]}, split {protocol.split}, {protocol.part}, {', '.join(protocol.told())}, "
        f"fingerprint {protocol.fingerprint()}.\n"
    )
    groups = dict.fromkeys(
        (row.task, row.history, row.slice) for row in found.rankings if row.slice in SLICES
    )
    for task, history, part in groups:
        if history == "masked" and part != "all":
            continue  # with the history masked all targets are unvisited
        rows = [row for row in found.rankings if (row.task, row.history, row.slice) == (task, history, part)]
        yield f"**{task}**, history {history}, {part} items, {rows[0].count} targets\n"
        yield from _table(rows)
    for answer in found.responses:
        words = ", ".join(f"{metric} {value:.4f}" for metric, value in answer.metrics.items())
        yield f"- {answer.task}, {answer.system}, {answer.count} targets: {words}"
    yield ""
    yield from (f"- Note: {note}" for note in found.notes)
    yield ""


def _table(rows: list[ScoreRow]) -> Iterator[str]:
    yield "| System | HR@10 | NDCG@10 | interval | MRR@10 |\n|---|---|---|---|---|"
    for row in sorted(rows, key=lambda row: -row.metrics["ndcg@10"]):
        hits, gain, first = (f"{row.metrics[metric]:.4f}" for metric in METRICS)
        low, high = row.intervals["ndcg@10"].low, row.intervals["ndcg@10"].high
        yield f"| {row.system} | {hits} | {gain} | {low:.4f} to {high:.4f} | {first} |"
    yield ""


if __name__ == "__main__":
    main()
