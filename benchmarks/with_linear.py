"""A trained model of one class a row and the linear reference, together: the mean of their probabilities.

    python benchmarks/with_linear.py RUN ...  [--parts 3]

The reference is fitted on the rows that trained the run. How much each of the two counts, in whole parts of
`--parts` at most, is chosen on the validation part by log loss; the test part is read once. Several runs are
folds of one recipe: the test rows of all stand together, and the interval is paired over them.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intertask.answers import Answer
from intertask.metrics.bootstrap import difference_intervals
from intertask.options.seeds import generator
from intertask.predictor import Predictor
from intertask.references import Question
from intertask.references.linear import Config as Linear
from intertask.samples.answering import answers
from intertask.samples.corpus import RowCorpus
from intertask.tasks.category import Config as Category

Floats = NDArray[np.floating]
Told = tuple[Answer, NDArray[np.generic], Floats, Floats]  # truth; what the model says, and the reference


def read(run: Path) -> dict[str, Told]:
    """What both say of the validation and the test part of a run."""
    predictor = Predictor.load(run / "model")
    rows = RowCorpus.open(run / "corpus").rows
    split = predictor.recipe.split_rows(rows)
    ((name, task),) = predictor.recipe.tasks.items()
    if not isinstance(task, Category) or task.several:
        raise SystemExit(f"{run}: expected one task of one class a row, found {task.kind}")
    facts = predictor.facts.answers[name]
    answer = task.known_answer(facts)
    taken = {part: rows.take(split.part(part)) for part in ("train", "validation", "test")}
    asked = {}
    for part, own in taken.items():
        truth = task.labels(name, own, facts).astype(np.int64)
        classes, weights = int(truth.max()) + 1, np.ones(len(own), np.float32)
        asked[part] = Question(predictor.facts.plain(own), truth, classes, weights)
    linear = Linear().fit(asked["train"], asked["validation"], predictor.recipe.seed)
    found: dict[str, Told] = {}
    for part in ("validation", "test"):
        told = answers(predictor.model, predictor.facts.read(taken[part]), [name])[name]
        beside = linear(asked[part].rows)
        found[part] = (
            answer,
            asked[part].truth,
            np.asarray(told, np.float64),
            np.asarray(beside, np.float64),
        )
    return found


def mixed(told: Told, parts: tuple[int, int]) -> Floats:
    """The mean of both, so many parts of each."""
    mean: Floats = (parts[0] * told[2] + parts[1] * told[3]) / sum(parts)
    return mean


def measured(told: Told, parts: tuple[int, int]) -> dict[str, float]:
    """Accuracy and log loss."""
    found = told[0].measure(told[1], mixed(told, parts))
    return {name: round(found[name], 4) for name in ("accuracy", "log_loss")}


def main() -> None:
    """Choose on the validation part, and read the test part once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--parts", type=int, default=3)
    options = parser.parse_args()
    counts = range(options.parts + 1)
    tried = [(one, other) for one in counts for other in counts if one + other]
    both: list[Floats] = []
    model: list[Floats] = []
    linear: list[Floats] = []
    for run in options.runs:
        told = read(run)
        chosen = min(tried, key=lambda own: measured(told["validation"], own)["log_loss"])
        line: dict[str, object] = {
            "run": run.name,
            "parts": chosen,
            "validation": measured(told["validation"], chosen),
        }
        line["validation_alone"] = measured(told["validation"], (1, 0))
        answer, truth = told["test"][:2]
        for name, own, kept in (("both", chosen, both), ("model", (1, 0), model), ("linear", (0, 1), linear)):
            line[name] = measured(told["test"], own)
            kept.append(answer.qualities(truth, mixed(told["test"], own)))
        print(json.dumps(line), flush=True)
    for name, other in (("model", model), ("linear", linear)):
        ours, theirs = (np.concatenate(own)[:, None] for own in (both, other))
        gain = difference_intervals(ours, theirs, np.arange(len(ours)), generator(1, "bootstrap"))
        shown = [round(float(own[0]), 4) for own in (gain.values, gain.lows, gain.highs)]
        print(json.dumps({f"log_likelihood_above_{name}": shown}))


if __name__ == "__main__":
    main()
