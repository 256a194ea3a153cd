"""Robustness: how much less does a joint model lose when training events are replaced by random ones?

    python benchmarks/claims/noise.py benchmarks/claims/retailrocket.toml FOLDER
        [--shares 0 0.05 0.1 0.2] [--seeds 1 2 3] [--mechanism "gated slots"]

The items of a share of the training events, drawn by the seed of the log alone, become items drawn from all;
what is asked about stays as it is, and so does one event of each item, so that as many are ranked. For each
share every task is trained alone, above the same mechanism, and all together; the table
holds what each of the two keeps of its own figure without noise. Runs that are there are not trained again;
those without noise are runs of grid.py.
"""

import numpy as np
from grid import Sizes, arguments, by_itself, joint, origin
from logs import opened, trained_on, written
from numpy.typing import NDArray

from intertask.evaluate.gains import changes
from intertask.options.seeds import generator
from intertask.recipe import Recipe
from intertask.recipe.data_section import DataConfig
from intertask.runs.study import run_arm, settled


def main() -> None:
    """Train what is missing, print."""
    parser = arguments(__doc__)
    parser.add_argument("--shares", type=float, nargs="*", default=[0.0, 0.05, 0.1, 0.2])
    options = parser.parse_args()
    if 0 not in options.shares:
        parser.error("--shares: 0 must be among them, which the others are told in shares of")
    base = settled(Recipe.read(options.recipe), options.recipe.parent)
    corpus = opened(base, options.recipe.parent)
    mine = np.flatnonzero(trained_on(base, corpus))
    sizes = Sizes(base)
    found, origins = {}, {}
    joined = options.mechanism.replace(" ", "_")
    for share in options.shares:
        random = generator(1, "noise")
        items = np.array(corpus.sequences.items)
        chosen = replaceable(items, random.permutation(mine)[: round(share * len(mine))])
        items[chosen] = random.integers(corpus.sequences.num_items, size=len(chosen))
        noisy, place = base, options.folder
        if share:
            place = options.folder / f"noise-{share:g}"
            data = DataConfig.model_validate(written(corpus, place / "events.parquet", items))
            noisy = base.model_copy(update={"data": data})
        whole = joint(noisy, options.mechanism, sizes)
        together = [run_arm(whole, place, joined, seed, "test") for seed in options.seeds]
        alone = {}
        for task in base.tasks:
            one, words = by_itself(noisy, task, options.mechanism, sizes)
            alone[task] = [run_arm(one, place, words, seed, "test") for seed in options.seeds]
        found[share] = changes(dict.fromkeys(base.tasks, together), alone)
        origins[share] = origin([*together, *(run for runs in alone.values() for run in runs)])
    clean = found[0.0]
    print("| Task | noise | alone | together | alone keeps | together keeps | together against alone |")
    print("|---|---|---|---|---|---|---|")
    for task in base.tasks:
        for share, row in found.items():
            now, before = row[task], clean[task]
            kept, both = now.alone / before.alone, now.together / before.together
            print(
                f"| {task} | {share:.0%} | {now.alone:.4f} | {now.together:.4f} | {kept:.1%} | {both:.1%} | "
                f"{now.percent:+.1f} % ({now.verdict}) |"
            )
    print(f"\n{base.name}, {options.mechanism}; each share of noise is a log of its own.\n")
    print("\n".join(f"- {share:.0%}: {words}." for share, words in origins.items()))


def replaceable(items: NDArray[np.int32], chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the chosen events without which every item still has one."""
    of_item, first, counts = np.unique(items[chosen], return_index=True, return_counts=True)
    all_gone = counts == np.bincount(items)[of_item]
    return np.delete(chosen, first[all_gone])


if __name__ == "__main__":
    main()
