"""How long one epoch of a recipe's training takes, and where that time goes.

    python benchmarks/epoch.py recipes/movielens_1m.toml [--threads 2] [--windows last]

Trains through the trainer itself, without validation: one epoch to warm up, one by the clock, with waiting
for batches, journal and checkpoint, then some steps under PyTorch's profiler. Shares are of the profiled
processor time of each operator itself. Peak memory is what the operating system accounts to the process,
data included.
"""

import argparse
import json
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from intertask.balance.equal import WeightedSum
from intertask.data.prepare import prepare
from intertask.evaluate.provenance import provenance
from intertask.events.feed import EventFeed
from intertask.events.trainable import build
from intertask.recipe import Recipe, source
from intertask.train.loop import Trainer
from intertask.train.stream import Stream

PROFILED, SHOWN = 20, 18


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--windows", choices=["last", "all"], default="last")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recipe = Recipe.read(options.recipe)
    config = recipe.train.model_copy(update={"windows": options.windows, "epochs": 2, "patience": 2})
    corpus = prepare(source.load(recipe.data, options.recipe.parent).events)
    split = recipe.split_events(corpus.sequences)
    counts = np.bincount(split.training(corpus.sequences).items, minlength=len(corpus.items))
    model = build(recipe, corpus, recipe.seed, counts)
    balance = WeightedSum({name: task.weight for name, task in recipe.tasks.items()})
    stream = Stream.of(model, EventFeed(corpus.sequences, split, recipe.max_length, options.windows), config)
    ends = []

    def ended() -> dict[str, float]:
        ends.append(time.perf_counter())
        return {"none": 0.0}

    with TemporaryDirectory() as folder:
        trainer = Trainer(
            [stream],
            balance,
            ended,
            lambda model, task: None,
            "none",
            config,
            recipe.seed,
            "epoch",
            Path(folder),
        )
        trainer.run()
        lines = [
            json.loads(line) for line in (Path(folder) / "journal.jsonl").read_text("utf-8").splitlines()
        ]
    steps = [line for line in lines if line["event"] == "step" and line["epoch"] == 1]
    seconds, targets = ends[1] - ends[0], sum(line["tokens"] for line in steps)
    print(
        f"{options.recipe.name}, windows {options.windows}, {options.threads} threads: {targets:,} targets "
        f"in {len(steps)} steps, {seconds:.1f} s, {targets / seconds:,.0f} a second, peak "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB; "
        f"commit {provenance(recipe.seed).commit}"
    )
    rows = np.array_split(np.arange(len(stream.feed.lengths)), trainer.num_batches)[:PROFILED]
    batches = [stream.batch(chosen) for chosen in rows]
    model.train()
    with profile(activities=[ProfilerActivity.CPU]) as record:
        for batch in batches:
            trainer.update.optimiser.zero_grad()
            balance(model.losses(batch)).backward()
            trainer.update.optimiser.clip()
            trainer.update.optimiser.step(config.learning_rate)
    found = sorted(record.key_averages(), key=lambda entry: -entry.self_cpu_time_total)
    total = sum(entry.self_cpu_time_total for entry in found)
    print("\n| Operator | share | calls a step |\n|---|---|---|")
    for entry in found[:SHOWN]:
        share, calls = 100 * entry.self_cpu_time_total / total, entry.count / len(batches)
        print(f"| `{entry.key}` | {share:.1f} % | {calls:.0f} |")


if __name__ == "__main__":
    main()
