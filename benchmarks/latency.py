"""How long one user waits: recommendations for one person at a time, one thread, 100,000 items.

    POLARS_MAX_THREADS=1 python benchmarks/latency.py
        [--items 100000] [--requests 1000] [--ids integers] [--users] [--cosine] [--ranker]

Weights are untrained, since time does not depend on them. A history is given in the caller's own ids, its
items are masked, ten items come back with ids and scores. Time on the clock is what somebody waits; that of
the processor is what remains of it where nothing else runs. Where it goes is taken from further requests,
under a profiler that slows them.
"""

import argparse
import cProfile
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import CodeType

import numpy as np
import polars as pl
import scipy.sparse
import torch

import intertask
from intertask import Recipe, Recommender, artefact
from intertask.artefact.log import LogArtefact
from intertask.data.corpus import Corpus
from intertask.data.sequences import from_lists
from intertask.data.vocabulary import Vocabulary
from intertask.events.trainable import build
from intertask.rankers.blend import Blend
from intertask.ranking import Ranker
from intertask.signals import Signal
from intertask.signals.constant import Constant
from intertask.signals.fold_in import FoldIn
from intertask.signals.neighbours import Neighbours
from intertask.signals.repeats import Repeats
from intertask.train.checkpoint import weights

NUM_USERS = 1000
WARM_UP = 50
LARGE = 0.03  # shares that are printed
PACKAGE = str(Path(intertask.__file__).parent)

Request = Callable[[int], pl.DataFrame]


def untrained(
    users: pl.Series, items: pl.Series, length: int, temperature: float | None, *tasks: str
) -> Recommender:
    """A recommender whose users have random histories, by way of its folder."""
    random = np.random.default_rng(0)
    task = {"kind": "next_item", "temperature": temperature}
    recipe = Recipe(width=64, max_length=length, encoder="attention", tasks=dict.fromkeys(tasks, task))
    stored = from_lists(random.integers(len(items), size=(len(users), length)).tolist(), len(items))
    corpus = Corpus(Vocabulary(users), Vocabulary(items), ("event",), stored)
    made = LogArtefact(
        recipe=recipe,
        behaviours=corpus.behaviours,
        items=corpus.items,
        users=corpus.users,
        weights=artefact.as_arrays(weights(build(recipe, corpus, recipe.seed))),
        histories=stored,
        popularity=random.integers(1000, size=(1, len(items))),
        catalogue=None,
    )
    with tempfile.TemporaryDirectory() as folder:
        artefact.save(made, Path(folder) / "model")
        return Recommender.load(Path(folder) / "model")


def mixed(model: Recommender) -> Recommender:
    """The same model with the scores of two tasks and of seven sources that have learned nothing."""
    answerer, random = model.answerer, np.random.default_rng(2)
    num = len(answerer.reader.items)
    rows, columns = np.repeat(np.arange(num), 100), random.integers(num, size=num * 100)
    near = scipy.sparse.coo_matrix(
        (random.random(num * 100, np.float32), (rows, columns)), (num, num)
    ).tocsr()
    counts = random.integers(1000, size=num).astype(np.float32)
    signals: dict[str, Signal] = {
        "transition": Neighbours(near, 1, 0.05),
        "item_knn": Neighbours(near, 0, 0.05),
        "last_knn": Neighbours(near, 1, 0.05),
        "als": FoldIn(random.standard_normal((num, 64), np.float32), 0.01, 40.0),
        "repeat": Repeats(10.0),
        "popularity": Constant(counts),
        "recent_popularity": Constant(counts, 1_000.0),
    }
    names = ("model/next", "model/buy", *signals)
    blend = Blend(names, np.array([3, 11], np.int64), random.random((3, len(names)), np.float32))
    model._answerer = replace(answerer, ranker=Ranker(signals, {("next", "masked"): blend}, {}))
    return model


def requests(model: Recommender, items: pl.Series, number: int, length: int, *, by_user: bool) -> Request:
    """One request for each number from 0 on: a stored user, or a history that is new each time."""
    if by_user:
        users = model.users.to_list()
        return lambda place: model.recommend(users=[users[place % len(users)]], k=10)
    drawn = np.random.default_rng(1).integers(len(items), size=(number, length))
    histories = [items[row].to_list() for row in drawn]
    return lambda place: model.recommend(histories=[histories[place % number]], k=10)


def timed(request: Request, number: int) -> dict[str, float]:
    """Median and 99th percentile in milliseconds, on the clock and of the processor."""
    spent = np.empty((number, 2))
    for place in range(number):
        began = time.perf_counter(), time.process_time()
        request(place)
        spent[place] = time.perf_counter() - began[0], time.process_time() - began[1]
    medians, tails = np.round(1000 * np.quantile(spent, [0.5, 0.99], axis=0), 2).tolist()
    return {
        "median_ms": medians[0],
        "p99_ms": tails[0],
        "processor_median_ms": medians[1],
        "processor_p99_ms": tails[1],
    }


def shares(request: Request, number: int) -> dict[str, float]:
    """Share of the time that a function of the package takes with all that it calls; the largest first."""
    with cProfile.Profile() as profile:
        for place in range(number):
            request(place)
    entries = profile.getstats()
    total = sum(entry.inlinetime for entry in entries)
    cumulative = {
        f"{Path(entry.code.co_filename).stem}.{entry.code.co_name}": entry.totaltime / total
        for entry in entries
        if isinstance(entry.code, CodeType) and entry.code.co_filename.startswith(PACKAGE)
    }
    return dict(sorted(cumulative.items(), key=lambda pair: -pair[1]))


def main() -> None:
    """Print a line for each length of history, and where the time goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--ids", choices=["text", "integers"], default="text")
    parser.add_argument("--users", action="store_true", help="ask for stored users by their ids")
    parser.add_argument("--cosine", action="store_true", help="scores are cosines over a temperature")
    parser.add_argument("--ranker", action="store_true", help="mix two tasks and seven sources")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if pl.thread_pool_size() > 1:  # decided where it is imported
        sys.exit("POLARS_MAX_THREADS=1 expected: Polars would answer with all cores")
    users, items = (pl.Series("id", range(size), dtype=pl.Int64) for size in (NUM_USERS, options.items))
    if options.ids == "text":
        users, items = "user-" + users.cast(pl.String), "item-" + items.cast(pl.String)
    tasks = ("next", "buy") if options.ranker else ("next",)
    for length in (50, 200):
        model = untrained(users, items, length, 0.05 if options.cosine else None, *tasks)
        model = mixed(model) if options.ranker else model
        request = requests(model, items, options.requests, length, by_user=options.users)
        timed(request, WARM_UP)
        line = {"items": options.items, "length": length} | timed(request, options.requests)
        print(json.dumps(line), flush=True)
        for name, share in shares(request, options.requests // 4).items():
            if share >= LARGE:
                print(f"  {share:6.1%}  {name}", flush=True)


if __name__ == "__main__":
    main()
