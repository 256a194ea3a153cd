"""More input or more supervision: which of the two does a task gain by?

    python benchmarks/claims/two_by_two.py benchmarks/claims/retailrocket.toml FOLDER
        [--seeds 1 2 3] [--mechanism "gated slots"]

Four arms for each task that asks for a behaviour: the input is the events of that behaviour alone (the others
stand as blanks) or all events, the supervision is its own task alone or all tasks. All have the same
mechanism, so that what a slot remembers is in all of them: what communication brings is the step from one
task to all with the whole input. Runs that are there are not trained again; two of the arms are in a folder
of grid.py.
"""

from collections.abc import Sequence
from pathlib import Path

from grid import Sizes, arguments, by_itself, joint, origin, told

from intertask.evaluate.gains import changes
from intertask.recipe import Recipe
from intertask.runs.study import run_arm, settled


def main() -> None:
    """Train what is missing, print."""
    options = arguments(__doc__).parse_args()
    recipe = settled(Recipe.read(options.recipe), options.recipe.parent)
    print(study(recipe, options.folder, options.seeds, options.mechanism))


def study(recipe: Recipe, folder: Path, seeds: Sequence[int], mechanism: str) -> str:
    """Train what is missing; the table as Markdown."""
    sizes = Sizes(recipe)
    together = joint(recipe, mechanism, sizes)
    lines = [
        "| Task | own, own | all, own | own, all | all, all | by input | by supervision |",
        "|" + "---|" * 7,
    ]
    asked = {name: getattr(task, "behaviour", None) for name, task in recipe.tasks.items()}
    every: list[Path] = []
    for task, behaviour in asked.items():
        if behaviour is None or not recipe.tasks[task].answer.ranks:
            continue
        one, words = by_itself(recipe, task, mechanism, sizes)
        arms = {
            "own, own": (reading(one, behaviour), f"own-{task}"),
            "all, own": (one, words),
            "own, all": (reading(together, behaviour), f"together-reading-{task}"),
            "all, all": (together, mechanism.replace(" ", "_")),
        }
        runs = {
            name: [run_arm(arm, folder, words, seed, "test") for seed in seeds]
            for name, (arm, words) in arms.items()
        }
        step = {
            name: changes({task: runs[name]}, {task: runs[other]})[task]
            for name, other in (("all, own", "own, own"), ("all, all", "all, own"), ("own, all", "own, own"))
        }
        values = [step["all, own"].alone, step["all, own"].together, step["own, all"].together]
        values.append(step["all, all"].together)
        cells = [f"{value:.4f}" for value in values] + [told(step["all, own"]), told(step["all, all"])]
        lines.append(f"| {task} | {' | '.join(cells)} |")
        every += [run for arm in runs.values() for run in arm]
    assert every, "no task asks for a behaviour"
    lines += [
        "",
        f"{recipe.name}, {mechanism}, NDCG@10 by input, supervision: {origin(every)}. 95 % intervals, paired "
        "bootstrap over users and seeds.",
    ]
    return "\n".join(lines)


def reading(recipe: Recipe, behaviour: str) -> Recipe:
    """The same, with the events of one behaviour as input."""
    return recipe.model_copy(update={"input": recipe.input.model_copy(update={"reads": (behaviour,)})})


if __name__ == "__main__":
    main()
