"""Writes the header of a recipe from the run that it gave: date, command, seed, metrics, time.

python benchmarks/headers.py recipes/gru.toml runs/gru
"""

import json
import sys
from pathlib import Path

from intertask.evaluate.results import Evaluation


def main(recipe: Path, run: Path) -> None:
    """Replace the comment lines that the recipe begins with."""
    found = Evaluation.read(run / "evaluation.json")
    journal = [json.loads(line) for line in (run / "journal.jsonl").read_text("utf-8").splitlines()]
    seconds = sum(entry.get("seconds", 0.0) for entry in journal)
    epochs = sum(entry["event"] == "validation" for entry in journal)
    lines = [
        f"# Date {found.provenance.date}, commit {found.provenance.commit}, seed {found.provenance.seed}.",
        f"# Command: intertask train {recipe.as_posix()} && intertask evaluate runs/{recipe.stem}",
        f"# Protocol: {found.protocol.split}, {found.protocol.part}, {', '.join(found.protocol.told())}.",
        f"# Training took {seconds / 60:.1f} minutes, {epochs} epochs, {found.provenance.machine}.",
    ]
    for row in found.rankings:
        if row.system == "intertask" and row.slice == "all":
            best = max(
                (other for other in found.rankings if _same(other, row) and other.system != "intertask"),
                key=lambda other: other.metrics["ndcg@10"],
                default=None,
            )
            against = f"; best baseline {best.system} {best.metrics['ndcg@10']:.4f}" if best else ""
            lines.append(
                f"# {row.task}, history {row.history}: HR@10 {row.metrics['hr@10']:.4f}, "
                f"NDCG@10 {row.metrics['ndcg@10']:.4f}{against}"
            )
    for answer in found.responses:
        if answer.system == "intertask":
            words = ", ".join(f"{name} {value:.4f}" for name, value in answer.metrics.items())
            lines.append(f"# {answer.task}: {words}")
    body = recipe.read_text("utf-8").splitlines()
    while body and (body[0].startswith("#") or not body[0]):
        body.pop(0)
    recipe.write_text("\n".join([*lines, "", *body]) + "\n", encoding="utf-8")


def _same(one: object, other: object) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("task", "history", "slice"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
