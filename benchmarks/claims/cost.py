"""What an update costs with each mechanism between tasks, in multiples of shared bottom.

    python benchmarks/claims/cost.py benchmarks/claims/retailrocket.toml
        [--rounds 5] [--threads 2]

All mechanisms take turns on the same batches, round by round, so that what else the machine does falls on
all of them; the figure is the median of the rounds' ratios. Hidden layers are as wide as in grid.py.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch
from grid import USUAL, Sizes, joint

from intertask.data.batches import plan, training_batch
from intertask.data.prepare import prepare
from intertask.data.seam import Batch
from intertask.data.windows import training_windows
from intertask.evaluate.provenance import provenance
from intertask.events import trainable
from intertask.model import Model
from intertask.options.seeds import generator
from intertask.recipe import Recipe, source
from intertask.train.optimiser import Optimiser
from intertask.train.stream import BATCH_TOKENS

BATCHES = 12


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recipe = Recipe.read(options.recipe)
    corpus = prepare(source.load(recipe.data, options.recipe.parent).events)
    split = recipe.split_events(corpus.sequences)
    windows = training_windows(corpus.sequences, split.train_stop, recipe.max_length, recipe.train.windows)
    tokens = recipe.train.batch_tokens or BATCH_TOKENS
    rows = plan(windows.lengths - 1, tokens, generator(1, "order", 0))[:BATCHES]
    batches = [training_batch(corpus.sequences, windows[chosen]) for chosen in rows]
    sizes = Sizes(recipe)
    models, seconds = {}, {}
    for name in USUAL:
        model = trainable.build(joint(recipe, name, sizes), corpus, 1).train()
        models[name] = model, Optimiser(model, recipe.train)
        seconds[name] = [updates(*models[name], batches)][:0]  # the first round warms up
    for _ in range(options.rounds):
        for name, (model, optimiser) in models.items():
            seconds[name].append(updates(model, optimiser, batches))
    print("| Mechanism | weights | times shared bottom | ms an update |\n|---|---|---|---|")
    for name, own in seconds.items():
        ratios = [one / other for one, other in zip(own, seconds["shared bottom"], strict=True)]
        weights = sum(weight.numel() for weight in models[name][0].parameters())
        print(
            f"| {name} | {weights:,} | {statistics.median(ratios):.2f} | "
            f"{1000 * statistics.median(own) / len(batches):.0f} |"
        )
    print(
        f"\n{recipe.name}, {len(recipe.tasks)} tasks, {len(batches)} batches of "
        f"{tokens} positions, {options.rounds} rounds, {options.threads} threads, "
        f"commit {provenance(1).commit}"
    )


def updates(model: Model, optimiser: Optimiser, batches: list[Batch]) -> float:
    """Seconds for one update on each batch, as training does it: down to the trunk's output, and then on."""
    began = time.perf_counter()
    for batch in batches:
        encoded = model.trunk(batch)
        leaves = [part.detach().requires_grad_() for part in encoded.parts]
        optimiser.zero_grad()
        losses = model.losses(batch, encoded.with_parts(leaves))
        torch.autograd.backward([torch.stack(list(losses.values())).sum()])
        torch.autograd.backward(encoded.parts, [leaf.grad for leaf in leaves])
        optimiser.clip()
        optimiser.step(1e-4)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
