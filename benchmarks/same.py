"""Do two commits train the same weights, to the bit, on this machine?

    python benchmarks/same.py COMMIT [COMMIT] [--recipe FILE ...] [--epochs N]

Checks each commit out into a folder of its own (the second is the working tree where it is left out), trains
each recipe for some steps with the present environment, and compares the losses of every step and the weights
to the bit. Without a recipe it takes the worlds of tests/golden. Exit 1 where anything differs.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORLDS = sorted((ROOT / "tests" / "golden").glob("*.toml"))

# What runs with the source of a checkout.
TRAIN = """\
import sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
import torch
torch.set_num_threads(1)
from intertask.runs import run
run.train(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def main() -> None:
    """Compare, and print one line for each recipe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("first", help="a commit")
    parser.add_argument("second", nargs="?", help="another; the working tree where it is left out")
    parser.add_argument("--recipe", type=Path, nargs="+", default=WORLDS)
    parser.add_argument("--epochs", type=int, help="in place of each recipe's, to be done sooner")
    asked = parser.parse_args()
    differ = False
    with checkout(asked.first) as first, checkout(asked.second) as second:
        for recipe in asked.recipe:
            left, right = (trained(place, recipe.resolve(), asked.epochs) for place in (first, second))
            same = left == right
            differ = differ or not same
            verdict = "the same" if same else difference(left, right)
            print(f"{recipe.name}: {len(left['losses'])} steps, {verdict}", flush=True)
    sys.exit(differ)


@contextmanager
def checkout(commit: str | None) -> Iterator[Path]:
    """A folder with a commit; the working tree for none."""
    if commit is None:
        yield ROOT
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "checkout"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", place, commit], cwd=ROOT, check=True)
        try:
            yield place
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", place], cwd=ROOT, check=True)


def trained(place: Path, recipe: Path, epochs: int | None) -> dict[str, list[str]]:
    """The losses of each step and a digest of each weight, as a commit trains them."""
    if recipe.is_relative_to(ROOT) and (place / recipe.relative_to(ROOT)).exists():
        recipe = place / recipe.relative_to(
            ROOT
        )  # as the commit has it: an option may have another name there
    with tempfile.TemporaryDirectory(dir=recipe.parent, prefix=".same-") as folder:
        file = Path(folder).parent / f"{Path(folder).name}.toml"
        text = recipe.read_text(encoding="utf-8")
        if epochs is not None:
            text = with_epochs(text, epochs)
        try:
            file.write_text(text, encoding="utf-8")
            subprocess.run(
                [sys.executable, "-c", TRAIN, file, Path(folder) / "run"],
                env=os.environ | {"PYTHONPATH": str(place / "src"), "OMP_NUM_THREADS": "1"},
                check=True,
                stdout=subprocess.DEVNULL,
            )
        finally:
            file.unlink(missing_ok=True)
        run = Path(folder) / "run"
        lines = (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()
        steps = [entry for entry in map(json.loads, lines) if entry["event"] == "step"]
        return {
            "losses": [json.dumps(entry["losses"], sort_keys=True) for entry in steps],
            "weights": [
                f"{model.relative_to(run)}: {digest(model)}"
                for model in sorted(run.rglob("weights.safetensors"))
                if "checkpoints" not in model.parts
            ],
        }


def with_epochs(text: str, epochs: int) -> str:
    """A recipe with another number of epochs."""
    lines = [line for line in text.splitlines() if not line.replace(" ", "").startswith("epochs=")]
    place = next((n for n, line in enumerate(lines) if line.startswith("[train]")), None)
    if place is None:
        return "\n".join([*lines, "[train]", f"epochs = {epochs}", ""])
    return "\n".join([*lines[: place + 1], f"epochs = {epochs}", *lines[place + 1 :], ""])


def digest(weights: Path) -> str:
    """Of the file's bytes: names, shapes and values."""
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def difference(left: dict[str, list[str]], right: dict[str, list[str]]) -> str:
    """Where two trainings part."""
    for step, (mine, other) in enumerate(zip(left["losses"], right["losses"], strict=False), 1):
        if mine != other:
            return f"DIFFERENT from step {step} on: {mine} and {other}"
    if len(left["losses"]) != len(right["losses"]):
        return f"DIFFERENT: {len(left['losses'])} and {len(right['losses'])} steps"
    return "the same losses, DIFFERENT weights"


if __name__ == "__main__":
    main()
