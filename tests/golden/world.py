"""What a training on a fixed log gives: losses, weights, lists, evaluation. Runs a world, and pins it.

`python -m tests.golden.world NAME ...` writes what these worlds give now; all of them without a name. Do so
only in a commit that means to change behaviour, and say there what moved and why.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

from intertask import Recommender
from intertask.runs import run

HERE = Path(__file__).parent
DATA = ("events.csv", "items.csv", "visits.csv")
NAMES = sorted(place.stem for place in HERE.glob("*.toml"))
MOMENTARY = ("provenance", "seconds", "digests")  # of the machine, the day, and the writer of a file
# A bias of keys moves no softmax: its gradient is rounding error, which Adam scales up to a whole step.
WITHOUT_GRADIENT = "attention.project_in.bias"
USERS, UNSEEN = 4, [["i3", "i4"], ["i11"]]


def outcome(name: str, folder: Path) -> dict[str, object]:
    """All that is pinned of one world, trained and evaluated in a folder."""
    for data in (*DATA, f"{name}.toml"):
        shutil.copy(HERE / data, folder)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        run.train(folder / f"{name}.toml", folder / "run")
        streams = run.stream_folders(folder / "run")
        found = {place.name: run.evaluate(place).model_dump(mode="json") for place in streams}
        return {
            "losses": _losses(folder / "run" / "journal.jsonl"),
            "weights": {place.name: _weights(run.model_folder(place)) for place in streams},
            "lists": {place.name: _lists(place) for place in streams},
            "evaluation": {
                place: {key: value for key, value in told.items() if key not in MOMENTARY}
                for place, told in found.items()
            },
        }
    finally:
        torch.set_num_threads(threads)


def _losses(journal: Path) -> list[dict[str, float]]:
    """The losses of each step."""
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    return [line["losses"] for line in lines if line["event"] == "step"]


def _weights(model: Path) -> dict[str, list[float]]:
    """Mean and root mean square of each weight."""
    arrays = load_file(model / "weights.safetensors")
    return {
        name: [
            float(np.mean(array, dtype=np.float64)),
            float(np.sqrt(np.mean(array.astype(np.float64) ** 2))),
        ]
        for name, array in sorted(arrays.items())
        if not name.endswith(WITHOUT_GRADIENT)
    }


def _lists(folder: Path) -> dict[str, list[dict[str, object]]]:
    """The best items of each ranking task, for some users and for people the log has never seen."""
    model = Recommender.load(folder)
    users = model.users.head(USERS)
    lists = {}
    for task in model.recipe.tasks_that_rank():
        known = model.recommend(users, k=5, task=task)
        unseen = model.recommend(histories=UNSEEN, k=5, task=task)
        lists[task] = known.to_dicts() + unseen.to_dicts()
    return lists


def read(name: str) -> dict[str, object]:
    """What is pinned of one world."""
    pinned: dict[str, object] = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return pinned


def main() -> None:
    """Pin the worlds that are named."""
    for name in sys.argv[1:] or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            text = json.dumps(outcome(name, Path(folder)), indent=1, ensure_ascii=False)
        (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
