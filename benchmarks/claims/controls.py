"""Tasks whose worth is known: of noise, of a few labels of a task that has all of them, and out of order.

    python benchmarks/claims/controls.py FOLDER [--seeds 1 2 3] [--mechanisms "shared bottom" ...]
        [--labels 1]

MovieLens-100K, next film and whether it is liked. A third task joins them:

noise      a fair coin for each rating: nothing can be learnt, and the others must not suffer
few        whether it is liked, known for a tenth of the training ratings (and for all that are asked about):
           it must gain by the task that knows all. With --labels 1 a task counts by its number of labels
permuted   whether it is liked, permuted within each person: a rate without an order, which must not help

Runs are folders ARM-SEED below FOLDER, as in grid.py. Prints Markdown: what the two tasks lose by the third,
against the two alone together; what the third gains against being alone; which of its edges stayed open.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from grid import Sizes, arguments, by_itself, joint, kept_edges, origin, told

from intertask.evaluate.gains import changes
from intertask.options.seeds import generator
from intertask.recipe import Recipe, source
from intertask.runs.study import run_arm, settled

CONTROLS = ("noise", "few", "permuted")
SHARE = 0.1
RECIPE: dict[str, Any] = {
    "name": "controls",
    "width": 32,
    "max_length": 50,
    "encoder": {"kind": "gru"},
    "tasks": {
        "next": {"kind": "next_item"},
        "liked": {"kind": "response", "label": "liked"},
        **{name: {"kind": "response", "label": name} for name in CONTROLS},
    },
    "train": {"patience": 5, "monitor": "all", "warmup_steps": 200},
}


def main() -> None:
    """Train what is missing, print."""
    parser = arguments(__doc__, recipe=False, mechanism=False)
    parser.add_argument("--mechanisms", nargs="*", default=["shared bottom", "gated slots"])
    parser.add_argument("--labels", type=float, default=0.0)
    options = parser.parse_args()
    log = write_log(options.folder)
    data = {"events": {"path": str(log), "time": "time", "labels": ["liked", *CONTROLS]}}
    balance = {"kind": "entropy", "labels": options.labels}
    whole = settled(Recipe.model_validate(RECIPE | {"data": data, "balance": balance}), Path())
    lines = [
        "| Third task | mechanism | next | liked | the third, against alone | edges to it | its own edges |"
    ]
    lines.append("|" + "---|" * 7)
    every: list[Path] = []
    for mechanism in options.mechanisms:
        two = arm(whole, ["next", "liked"], mechanism)
        base = [run(two, options.folder, f"{mechanism}-two", seed) for seed in options.seeds]
        every += base
        for control in CONTROLS:
            three = arm(whole, ["next", "liked", control], mechanism)
            name = f"{mechanism}-with-{control}"
            together = [run(three, options.folder, name, seed) for seed in options.seeds]
            own, words = by_itself(whole, control, mechanism, Sizes(three))
            alone = [run(own, options.folder, words, seed) for seed in options.seeds]
            every += [*together, *alone]
            harm = changes({"next": together, "liked": together}, {"next": base, "liked": base})
            gain = changes({control: together}, {control: alone})[control]
            cells = [*(told(harm[task]) for task in ("next", "liked")), told(gain), *edges(together, control)]
            lines.append(f"| {control} | {mechanism} | {' | '.join(cells)} |")
    lines += [
        "",
        f"MovieLens-100K, labels {options.labels:g}: {origin(every)}. 95 % intervals, paired bootstrap over "
        "users and seeds.",
    ]
    text = "\n".join(lines)
    (options.folder / "controls.md").write_text(text + "\n", encoding="utf-8")
    print(text)


def write_log(folder: Path) -> Path:
    """MovieLens-100K with the labels of the controls, in the published order."""
    frame = source.load(
        Recipe.model_validate({"data": {"dataset": "movielens_100k"}}).data, Path()
    ).events.frame
    random = generator(1, "controls")
    liked = (frame["rating"] >= 4).to_numpy().astype(np.float32)
    order = frame.with_row_index().sort("user", "time", maintain_order=True)
    last = order.group_by("user", maintain_order=True).tail(2)["index"].to_numpy()  # what is asked about
    known = random.random(len(liked)) < SHARE
    known[last] = True
    few = np.where(known, liked, np.nan)
    asked = np.zeros(len(liked), dtype=bool)
    asked[last] = True  # permuted for themselves: no label that is asked about may be trained on
    groups = (asked, frame["user"].to_numpy())
    permuted = np.empty_like(liked)
    permuted[np.lexsort(groups)] = liked[np.lexsort((random.random(len(liked)), *groups))]
    noise = (random.random(len(liked)) < 0.5).astype(np.float32)
    labels = {"liked": liked, "noise": noise, "few": few.astype(np.float32), "permuted": permuted}
    columns = [pl.Series(name, values).fill_nan(None) for name, values in labels.items()]
    folder.mkdir(parents=True, exist_ok=True)
    frame.select("user", "item", "time").with_columns(columns).write_parquet(folder / "events.parquet")
    return (folder / "events.parquet").resolve()


def arm(whole: Recipe, tasks: list[str], mechanism: str) -> Recipe:
    """Some of the tasks, above one mechanism."""
    recipe = whole.model_copy(update={"tasks": {name: whole.tasks[name] for name in tasks}})
    return joint(recipe, mechanism, Sizes(recipe))


def run(recipe: Recipe, folder: Path, name: str, seed: int) -> Path:
    """One run, unless it is there."""
    return run_arm(recipe, folder, name.replace(" ", "_"), seed, "test")


def edges(runs: list[Path], control: str) -> list[str]:
    """How many edges from and to a task stayed open at the end, over all seeds; a dash without edges."""
    to_it, its_own = [], []  # whether each is open in the weights that were kept
    for folder in runs:
        is_open = kept_edges(folder)
        to_it += [there for (_, source), there in is_open.items() if source == control]
        its_own += [there for (reader, _), there in is_open.items() if reader == control]
    return [f"{sum(own)} of {len(own)} open" if own else "-" for own in (to_it, its_own)]


if __name__ == "__main__":
    main()
