"""What an event costs as the catalogue grows from 1,000 to 1,000,000 items, and the log to 50 million events.

    python benchmarks/scaling.py FOLDER [--items 1000 10000 ...] [--events 1000000 ...] [--steps 60]

Every measurement is a process of its own: made-up events (`dataset = "synthetic"`), prepared to mapped
files, then updates with their average of the weights, after a few that do not count; checkpoints and
validation, which come once in many steps, are not in it. Writes scaling.jsonl and scaling.svg into the
folder; what is in the first is not measured again. Items are those that occur. Peak memory is what the
operating system accounts to the process.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from intertask.evaluate.provenance import provenance

LENGTH = 40  # mean events of a user
CATALOGUE_EVENTS, LOG_ITEMS = 2_000_000, 20_000
EVENTS_OF_AN_ITEM = 5  # at least, in the mean: with fewer, many items would never occur
FULL_SOFTMAX_UP_TO = 100_000
WARM_UP = 10

MAKE = """
import sys
from pathlib import Path
from intertask.datasets.synthetic import Config
events, items, file = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
Config(users=events // {length}, items=items, length={length}).load(Path()).events.frame.write_parquet(file)
"""

PREPARE = """
import json, sys, time
from pathlib import Path
from intertask.data.event_log import EventLog
from intertask.data.prepare import prepare
began = time.perf_counter()
prepare(EventLog.read(Path(sys.argv[1]), time="time", behaviour="behaviour"), Path(sys.argv[2]))
print(json.dumps({"seconds": time.perf_counter() - began}))
"""

TRAIN = """
import json, sys, time
from pathlib import Path
import numpy as np
import torch
from intertask.data.batches import plan, training_batch
from intertask.data.prepare import open_corpus
from intertask.data.windows import training_windows
from intertask.events import trainable
from intertask.recipe import Recipe
from intertask.train.averaging import Average
from intertask.train.optimiser import Optimiser
from intertask.train.stream import BATCH_TOKENS
folder, loss, steps, warm_up = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
recipe = Recipe.model_validate({
    "width": 64, "max_length": 50, "encoder": {"kind": "attention"},
    "tasks": {"next": {"kind": "next_item", "loss": {"kind": loss}}},
})
corpus = open_corpus(folder)
sequences = corpus.sequences
split = recipe.split_events(sequences)
training = split.training(sequences)
model = trainable.build(recipe, corpus, 1, np.bincount(training.items, minlength=len(corpus.items))).train()
windows = training_windows(sequences, split.train_stop, recipe.max_length, "all")
batches = plan(windows.lengths - 1, BATCH_TOKENS, np.random.default_rng(0))
optimiser, average = Optimiser(model, recipe.train), Average(model, recipe.train.average)
began, targets = time.perf_counter(), 0
for step, rows in enumerate(batches[: steps + warm_up]):
    if step == warm_up:
        began, targets = time.perf_counter(), 0
    batch = training_batch(sequences, windows[rows])
    optimiser.zero_grad()
    sum(model.losses(batch).values()).backward()
    optimiser.clip()
    average.before()
    optimiser.step(1e-3)
    average.update(step)
    targets += batch.num_tokens
print(json.dumps({
    "seconds": time.perf_counter() - began, "targets": targets, "items": len(corpus.items),
    "threads": torch.get_num_threads(),
}))
"""


def main() -> None:
    """Measure all sizes, a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument(
        "--events", type=int, nargs="*", default=[1_000_000, 5_000_000, 20_000_000, 50_000_000]
    )
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    file = options.folder / "scaling.jsonl"
    for what, sizes in (("items", options.items), ("events", options.events)):
        for size in sizes:
            items, events = (size, CATALOGUE_EVENTS) if what == "items" else (LOG_ITEMS, size)
            events = max(events, EVENTS_OF_AN_ITEM * items)
            key = {"grows": what, "size": size, "steps": options.steps, "commit": provenance(1).commit}
            if any(key.items() <= line.items() for line in written(file)):
                continue
            found = [
                key | {"events": events} | line
                for line in measure(options.folder, items, events, options.steps)
            ]
            with file.open("a", encoding="utf-8") as lines:
                lines.writelines(json.dumps(line) + "\n" for line in found)
            print("\n".join(map(json.dumps, found)), flush=True)
    shown = {"steps": options.steps, "commit": provenance(1).commit}
    draw([line for line in written(file) if shown.items() <= line.items()], options.folder / "scaling.svg")


def written(file: Path) -> list[dict[str, Any]]:
    """What has been measured."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def measure(folder: Path, items: int, events: int, steps: int) -> list[dict[str, Any]]:
    """Make a log, prepare it, train some steps on it with each loss."""
    log, corpus = folder / "events.parquet", folder / "corpus"
    run(MAKE.format(length=LENGTH), events, items, log)
    found, peak = run(PREPARE, log, corpus)
    lines: list[dict[str, Any]] = [
        {"step": "prepare", "seconds_per_million_events": found["seconds"] / events * 1e6, "peak_gib": peak}
    ]
    for loss in ("shared_pool", "full_softmax"):
        if loss == "full_softmax" and items > FULL_SOFTMAX_UP_TO:
            continue
        found, peak = run(TRAIN, corpus, loss, steps, WARM_UP)
        seconds = found["seconds"] / found["targets"] * 1e6
        counts = {"items": int(found["items"]), "threads": int(found["threads"])}
        costs = {"seconds_per_million_events": seconds, "peak_gib": peak}
        lines.append({"step": f"train, {loss}", **counts, **costs})
    return [{key: round(v, 3) if isinstance(v, float) else v for key, v in line.items()} for line in lines]


def run(program: str, *words: object) -> tuple[dict[str, float], float]:
    """What a child printed, and its peak memory in GiB."""
    process = subprocess.Popen([sys.executable, "-c", program, *map(str, words)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        sys.exit(f"exit status {status}")
    return json.loads(printed or "{}"), usage.ru_maxrss / 2**20


def draw(lines: list[dict[str, Any]], file: Path) -> None:
    """Seconds per million events and peak memory, over items and over events."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 7), sharex="col", layout="constrained")
    for column, what in enumerate(("items", "events")):
        for step in dict.fromkeys(line["step"] for line in lines):
            chosen = [line for line in lines if line["grows"] == what and line["step"] == step]
            for row, (key, label) in enumerate(
                (
                    ("seconds_per_million_events", "seconds per million events"),
                    ("peak_gib", "peak memory, GiB"),
                )
            ):
                axis = axes[row][column]
                axis.plot(
                    [line["size"] for line in chosen], [line[key] for line in chosen], marker="o", label=step
                )
                axis.set(xscale="log", yscale="log" if row == 0 else "linear", ylabel=label)
                axis.grid(alpha=0.3)
        axes[0][column].legend()
        axes[1][column].set_xlabel(f"{what} (log scale)")
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main()
