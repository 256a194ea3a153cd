"""Items as they arrived: month by month, train on what was before, ask for what was first seen in it.

Nothing is held out by a draw. An item is new where no training event is of it, and is a candidate from the
moment at which somebody first had it. Months are pooled; items of a history are no candidates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.cold.holdout import Targets
from intertask.cold.measures import NATURAL, AtRandom, Measured, Scorer, measured
from intertask.cold.references import references
from intertask.cold.study import own_systems, trained
from intertask.content.described import Described
from intertask.data.corpus import Corpus
from intertask.data.counts import event_counts
from intertask.data.sequences import Sequences
from intertask.data.windows import Windows
from intertask.errors import DataError, RequestError
from intertask.evaluate.config import MODEL
from intertask.events.ranking import visited
from intertask.events.splits import Split
from intertask.metrics.bootstrap import difference_intervals, mean_intervals
from intertask.options.seeds import generator
from intertask.recipe import Recipe

VALIDATION = 0.1  # of the events before a month, the last ones: they choose the epoch and teach a ranker
FEW = 100  # targets of new items, below which figures only describe
MOST_MONTHS = 24


@dataclass(frozen=True)
class Arriving:
    """The result over all months.

    Args:
        systems: What came of each target at the scores that lists have.
        new: Whether a target is a new item, bool [targets].
        users: int64 [targets].
        months: As "2011-10".
        items: New items that could be had, in all months together.
        seed: Of the resampling.
    """

    systems: Mapping[str, Measured]
    new: NDArray[np.bool_]
    users: NDArray[np.int64]
    months: tuple[str, ...]
    items: int
    seed: int = 0

    @property
    def describes(self) -> bool:
        """Whether there are too few targets of new items to conclude from."""
        return int(self.new.sum()) < FEW

    def table(self) -> pl.DataFrame:
        """A row for each system: new items with an interval over users, the model less it, and the others."""
        own, users = self._ndcg(MODEL)[self.new, None], self.users[self.new]
        rows: list[dict[str, object]] = []
        for name, found in self.systems.items():
            ndcg, hits = self._ndcg(name), found.hits[:, NATURAL]
            mean = mean_intervals(ndcg[self.new, None], users, self._resampling())
            less = difference_intervals(own, ndcg[self.new, None], users, self._resampling())
            rows.append(
                {
                    "system": name,
                    "new NDCG@20": mean.values[0],
                    "low": mean.lows[0],
                    "high": mean.highs[0],
                    "new HR@20": hits[self.new].mean(),
                    "AUC within new": np.nanmean(found.auc),
                    f"{MODEL} less it": less.values[0],
                    "less low": less.lows[0],
                    "less high": less.highs[0],
                    "other NDCG@20": ndcg[~self.new].mean(),
                    "all NDCG@20": ndcg.mean(),
                    "new share of places": found.exposure[:, NATURAL].mean(),
                }
            )
        return pl.DataFrame(rows)

    def _ndcg(self, name: str) -> NDArray[np.float64]:
        return self.systems[name].ndcg[:, NATURAL]

    def _resampling(self) -> np.random.Generator:
        return generator(self.seed, "bootstrap")


def arriving(
    recipe: Recipe, corpus: Corpus, *, months: int = 3, task: str | None = None, most: int = 20_000
) -> Arriving:
    """Train before each of the last months, and ask for what happened in it.

    Args:
        recipe: Its items are made of content.
        corpus: The log, with times, and its catalogue.
        months: How many calendar months (UTC), each of them another model.
        task: Which ranks; the first that does if left out.
        most: Targets of a month that are asked for.

    Raises:
        RequestError: The recipe does not read content, or an argument cannot be.
        DataError: The log has no times or too few months, or nobody had a new item.
    """
    if not recipe.items.reads_catalogue or corpus.catalogue is None:
        raise RequestError(
            "new items", 'items made of a catalogue, [items] kind = "content"', recipe.items.kind
        )
    ranking = recipe.tasks_that_rank()
    if task not in (None, *ranking) or not ranking:
        raise RequestError("new items task", f"one of {', '.join(ranking)}", repr(task))
    if not 1 <= months <= MOST_MONTHS:
        raise RequestError("new items", f"1 to {MOST_MONTHS} months", str(months))
    cuts = _cuts(corpus.sequences, months)
    months_asked = [_month(corpus.sequences, start, stop, most) for start, stop in cuts]
    new = np.concatenate([targets.cold for _, targets in months_asked])
    if not new.any() or new.all():
        kind = "a new item" if not new.any() else "an item with training events"
        raise DataError("new items", f"a target that is {kind}", "none", "ask for more months")
    parts: list[dict[str, Measured]] = []
    for split, targets in months_asked:
        systems = _systems(recipe, corpus, split, task or ranking[0])
        parts.append({name: measured(own, targets, 1.0, masked=True) for name, own in systems.items()})
    return Arriving(
        {name: _together([own[name] for own in parts]) for name in parts[0]},
        new,
        np.concatenate([targets.users for _, targets in months_asked]),
        tuple(f"{datetime.fromtimestamp(start, UTC):%Y-%m}" for start, _ in cuts),
        sum(int(targets.cold_I.sum()) for _, targets in months_asked),
        recipe.seed,
    )


def _cuts(sequences: Sequences, months: int) -> list[tuple[int, int]]:
    """Where each of the last months begins and ends, in seconds since 1970."""
    if sequences.times is None:
        raise DataError("new items", "a log with times", "a log without", "map a time column, or use --cold")
    times = np.asarray(sequences.times).astype("datetime64[s]")
    of_event = times.astype("datetime64[M]")
    last = of_event.max()
    first = last - np.timedelta64(months - 1, "M")
    before = int((of_event < first).sum())
    if before < 2 or len(np.unique(of_event)) <= months:
        raise DataError(
            "new items", f"events before the last {months} months", f"{before}", "ask for fewer months"
        )
    starts = [(first + np.timedelta64(place, "M")).astype("datetime64[s]") for place in range(months + 1)]
    seconds = [int(start.astype(np.int64)) for start in starts]
    return list(pairwise(seconds))


def _month(sequences: Sequences, start: int, stop: int, most: int) -> tuple[Split, Targets]:
    """What trains before a month, and what is asked in it."""
    times = np.asarray(sequences.times)
    earlier = np.sort(times[times < start])
    cut = int(earlier[int((1 - VALIDATION) * len(earlier))])
    users = sequences.users_of(np.arange(len(times)))
    trains = times < cut
    follows = np.arange(len(times)) > sequences.offsets[users]
    within = follows & (times >= start) & (times < stop)
    split = Split(
        train_stop=sequences.offsets[:-1] + np.bincount(users[trains], minlength=sequences.num_users),
        validation=np.flatnonzero(follows & (times >= cut) & (times < start)),
        test=np.flatnonzero(within),
        description=f"time, one month from {datetime.fromtimestamp(start, UTC):%Y-%m}",
        cuts=(cut, start),
    )
    split.check(sequences)
    since_I = np.full(sequences.num_items, np.iinfo(np.int64).max)
    np.minimum.at(since_I, sequences.items, times)
    warm_I = event_counts(split.training(sequences)) > 0
    cold_I = ~warm_I & (since_I < stop)
    places = split.test[~visited(sequences, split.test)]
    if len(places) > most:
        places = np.sort(generator(0, "new items").choice(places, most, replace=False))
    if not len(places):
        raise DataError("new items", "an event in each month", "none", "ask for fewer months")
    items = sequences.items[places].astype(np.int64)
    return split, Targets(
        sequences,
        Windows(sequences.offsets[users[places]], places),
        items,
        users[places],
        times[places].astype(np.int64),
        cold_I[items],
        cold_I,
        warm_I,
        since_I,
    )


def _systems(recipe: Recipe, corpus: Corpus, split: Split, task: str) -> dict[str, Scorer]:
    fitted = trained(recipe, corpus, split)
    described = fitted.model.dimensions.described
    assert isinstance(described, Described)
    training = split.training(corpus.sequences)
    return {
        **own_systems(recipe, fitted, task),
        **references(training, described.features_IF, recipe.seed),
        "random": AtRandom(recipe.seed),
    }


def _together(parts: list[Measured]) -> Measured:
    names = ("ndcg", "hits", "exposure", "auc")
    return Measured(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
