"""Cold-start cost: how many events does a sparse behaviour need alone for what it gets beside the others?

    python benchmarks/claims/sparse.py benchmarks/claims/retailrocket.toml FOLDER --task transaction
        [--shares 0.1 0.25 0.5 1] [--seeds 1 2 3] [--mechanism "gated slots"]

A share of the behaviour's training events, drawn by the seed of the log alone, is left in the log, and the
few without which a user would have too few events to be asked; what is asked about stays as it is. The task
is trained alone, above the same mechanism and reading all events, and beside the others. The last line says
from which share on it is as good together as alone with all of its events. Runs with all events are runs of
grid.py.
"""

import numpy as np
from grid import Sizes, arguments, by_itself, joint, origin
from logs import opened, trained_on, written

from intertask.evaluate.gains import changes
from intertask.options.seeds import generator
from intertask.recipe import Recipe
from intertask.recipe.data_section import DataConfig
from intertask.runs.study import run_arm, settled

ASKED_FROM = 3  # events that a user must have for leave-one-out


def main() -> None:
    """Train what is missing, print."""
    parser = arguments(__doc__)
    parser.add_argument("--task", required=True)
    parser.add_argument("--shares", type=float, nargs="*", default=[0.1, 0.25, 0.5, 1.0])
    options = parser.parse_args()
    base = settled(Recipe.read(options.recipe), options.recipe.parent)
    corpus = opened(base, options.recipe.parent)
    sizes = Sizes(base)
    code = corpus.behaviours.index(getattr(base.tasks[options.task], "behaviour", None))
    own = trained_on(base, corpus) & (corpus.sequences.behaviours == code)
    order = generator(1, "sparse").permutation(np.flatnonzero(own))
    found, origins, left = {}, {}, {}
    for share in sorted(options.shares):
        keep = ~own
        keep[order[: round(share * len(order))]] = True
        users = corpus.sequences.users_of(np.arange(len(keep)))
        keep |= np.bincount(users[keep], minlength=len(corpus.users))[users] < ASKED_FROM
        left[share] = int((keep & own).sum())
        thinned, place = base, options.folder
        if not keep.all():
            place = options.folder / f"share-{share:g}"
            data = DataConfig.model_validate(written(corpus, place / "events.parquet", keep=keep))
            thinned = base.model_copy(update={"data": data})
        whole = joint(thinned, options.mechanism, sizes), options.mechanism.replace(" ", "_")
        by_its_own = by_itself(thinned, options.task, options.mechanism, sizes)
        together, alone = (
            [run_arm(recipe, place, arm, seed, "test") for seed in options.seeds]
            for recipe, arm in (whole, by_its_own)
        )
        found[share] = changes({options.task: together}, {options.task: alone})[options.task]
        origins[share] = origin([*together, *alone])
    print("| Events | alone | together | change |\n|---|---|---|---|")
    for share, row in found.items():
        print(
            f"| {share:.0%}, {left[share]:,} | {row.alone:.4f} | {row.together:.4f} | "
            f"{row.percent:+.1f} % ({row.verdict}) |"
        )
    goal = found[max(found)].alone
    enough = [
        share for share in found if all(row.together >= goal for more, row in found.items() if more >= share)
    ]
    words = f"from {min(enough):.0%} of its events on" if enough else "with none of these shares"
    print(f"\nTogether {options.task} is as good as alone with all of its events {words}.")
    print(f"{base.name}, {options.mechanism}, NDCG@10; each share is a log of its own.\n")
    print("\n".join(f"- {share:.0%}: {words}." for share, words in origins.items()))


if __name__ == "__main__":
    main()
