"""Whether training once more on all events pays: both models of a run are asked for what happened later.

    python benchmarks/refit.py RECIPE [--share 0.9] [--most 10000] [--set NAME=VALUE ...] [--out FILE]

The log is cut in time after a share of its events. The first part is trained on as `intertask train` does:
one model on its training part, and one more on all of it. Then each event of the second part is asked for,
of people with a history and items that both models were trained on, with all events of the person before it
as the history. NDCG@10 of each task that ranks items, log loss of each response; intervals from a paired
bootstrap over people.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask import EventLog, Recipe, Recommender
from intertask.data.prepare import prepare
from intertask.evaluate.provenance import provenance
from intertask.fitting.experiment import fit_streams
from intertask.fitting.fitted import on_log
from intertask.fitting.refitting import refit
from intertask.metrics.bootstrap import difference_intervals
from intertask.options.seeds import generator
from intertask.recipe import MAIN
from intertask.recipe.source import load
from intertask.tasks.next_item import Config as NextItem
from intertask.tasks.response import Config as Response

Id = str | int
Floats = NDArray[np.floating]
K, AT_ONCE = 10, 256


@dataclass(frozen=True)
class Question:
    """An event of the later part, with what the person had done before."""

    user: Id
    past: list[tuple[Id, str, datetime]]
    item: Id
    behaviour: str
    labels: dict[str, float | None]


def models(recipe: Recipe, events: EventLog) -> dict[str, Recommender]:
    """What is measured, and what is served."""
    corpora = {MAIN: prepare(events)}
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit_streams(recipe, corpora, Path(folder))
        again = refit(recipe, corpora, fitted, Path(folder) / "refit")
    made = {"measured": fitted[MAIN], "refitted": again[MAIN]}
    return {name: Recommender.trained(recipe, on_log(one)) for name, one in made.items()}


def questions(events: EventLog, cut: datetime, known: set[Id], most: int, seed: int) -> list[Question]:
    """At most so many of the later events, drawn among all."""
    found: list[Question] = []
    pasts = defaultdict[Id, list[tuple[Id, str, datetime]]](list)
    for row in events.frame.sort("time", maintain_order=True).iter_rows(named=True):
        if row["item"] not in known:
            continue
        past = pasts[row["user"]]
        if row["time"] >= cut and past:
            labels = {name: row[name] for name in events.labels}
            found.append(Question(row["user"], list(past), row["item"], row["behaviour"], labels))
        past.append((row["item"], row["behaviour"], row["time"]))
    drawn = np.sort(generator(seed, "questions").permutation(len(found))[:most])
    return [found[place] for place in drawn]


def gains(model: Recommender, task: str, asked: list[Question]) -> Floats:
    """NDCG@10 of each question, [questions]."""
    found = np.zeros(len(asked))
    for start in range(0, len(found), AT_ONCE):
        pasts = [one.past for one in asked[start : start + AT_ONCE]]
        lists = model.recommend(histories=pasts, k=K, task=task)
        for place, item, rank in lists.select("history", "item", "rank").iter_rows():
            if item == asked[start + place].item:
                found[start + place] = 1 / np.log2(rank + 1)
    return found


def losses(model: Recommender, task: str, yes: NDArray[np.bool_], asked: list[Question]) -> Floats:
    """Log loss of each question, [questions]."""
    told = [
        float(model.predict(histories=[one.past], items=[one.item], task=task)[task].item()) for one in asked
    ]
    chance = np.where(yes, told, 1 - np.asarray(told))
    found: Floats = -np.log(np.clip(chance, 1e-6, None))
    return found


def tables(
    recipe: Recipe, made: dict[str, Recommender], asked: list[Question]
) -> Iterator[dict[str, object]]:
    """A line for each task that ranks items or says yes or no to a label."""
    for name, task in recipe.tasks.items():
        if isinstance(task, NextItem):
            some = [one for one in asked if task.behaviour in (None, one.behaviour)]
            figures = {label: gains(model, name, some) for label, model in made.items()}
        elif isinstance(task, Response) and task.label is not None and task.form == "binary":
            least = 0.5 if task.at_least is None else task.at_least
            some = [one for one in asked if one.labels[task.label] is not None]
            yes = np.array([(one.labels[task.label] or 0.0) >= least for one in some])
            figures = {label: losses(model, name, yes, some) for label, model in made.items()}
        else:
            continue
        users = np.unique(np.array([str(one.user) for one in some]), return_inverse=True)[1]
        again, measured = (figures[label][:, None] for label in ("refitted", "measured"))
        estimates = difference_intervals(again, measured, users, generator(recipe.seed, name))
        yield {
            "task": name,
            "metric": "NDCG@10" if isinstance(task, NextItem) else "log loss",
            "questions": len(some),
            "people": int(users.max()) + 1,
            **{label: round(float(one.mean()), 4) for label, one in figures.items()},
            "difference": round(float(estimates.values[0]), 4),
            "interval": [round(float(estimates.lows[0]), 4), round(float(estimates.highs[0]), 4)],
        }


def main() -> None:
    """Cut, train, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--share", type=float, default=0.9)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--set", nargs="*", default=[])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    recipe = Recipe.read(options.recipe, options.set)
    events = load(recipe.data, options.recipe.parent).events
    if events.clock != "time":
        raise SystemExit(f"{options.recipe}: expected a log with times, found one without")
    times = events.coded["time"]
    cut = times.sort()[int(len(times) * options.share)]
    early = replace(events, coded=events.coded.filter(pl.col("time") < cut))
    made = models(recipe, early)
    known = set.intersection(*(_trained(model) for model in made.values()))
    asked = questions(events, cut, known, options.most, recipe.seed)
    head = {
        "recipe": options.recipe.name,
        "set": options.set,
        "seed": recipe.seed,
        "commit": provenance(recipe.seed).commit,
    }
    found = head | {"cut": str(cut), "tasks": list(tables(recipe, made, asked))}
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _trained(model: Recommender) -> set[Id]:
    """Items that a list may hold."""
    return set(model.items.filter(pl.col("trained"))["item"].to_list())


if __name__ == "__main__":
    main()
