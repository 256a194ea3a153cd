"""People who are held out whole: how well their first events, or none, are answered.

A share of the people is in no part of the training. Each of them is asked for with 0, 1, 3 and 5 of their
first events. The target is the first event behind those, later than the last of them where the log has times:
lines of one invoice have no order.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.batches import TOKENS
from intertask.data.corpus import Corpus
from intertask.data.counts import event_counts
from intertask.data.recency import recent
from intertask.data.sequences import Sequences
from intertask.data.vocabulary import Vocabulary
from intertask.data.windows import Windows, cut_out
from intertask.errors import DataError, RecipeError, RequestError
from intertask.evaluate.config import ALONE, MODEL
from intertask.events.ranking import SCORES_IN_MEMORY, hide
from intertask.events.systems import last_states
from intertask.fitting.experiment import fit
from intertask.fitting.fitted import FittedLog
from intertask.metrics.bootstrap import difference_intervals, mean_intervals
from intertask.metrics.ranking import hit_rate, ndcg
from intertask.options.config import parse_plugin
from intertask.options.seeds import generator
from intertask.recipe import Recipe
from intertask.sources import Source, SourceConfig

SHOWN = (0, 1, 3, 5)
K = 10
REFERENCES = ("popularity", "recent_popularity", "transition", "item_knn", "ease", "als")


@dataclass(frozen=True)
class NewUsers:
    """Ranks of what new people had next.

    Args:
        people: How many were held out.
        users: For each number of events shown, who was asked for, int64 [targets].
        ranks: For each of them, the ranks by system, int64 [targets]; ties count against the system.
        seed: Of the resampling.
    """

    people: int
    users: Mapping[int, NDArray[np.int64]]
    ranks: Mapping[int, Mapping[str, NDArray[np.int64]]]
    seed: int = 0

    def table(self) -> pl.DataFrame:
        """A row for each number of events and system: NDCG@10, HR@10, and how far the model is above it."""
        rows: list[dict[str, object]] = []
        for shown, by_system in self.ranks.items():
            users = self.users[shown]
            values_NS = np.stack([ndcg(ranks, K) for ranks in by_system.values()], 1)
            own_NS = np.broadcast_to(ndcg(by_system[MODEL], K)[:, None], values_NS.shape)
            found = mean_intervals(values_NS, users, generator(self.seed, "bootstrap"))
            less = difference_intervals(own_NS, values_NS, users, generator(self.seed, "bootstrap"))
            rows += [
                {
                    "events shown": shown,
                    "system": name,
                    "targets": len(users),
                    f"NDCG@{K}": found.values[place],
                    "low": found.lows[place],
                    "high": found.highs[place],
                    f"HR@{K}": hit_rate(ranks, K).mean(),
                    f"{MODEL} less it": less.values[place],
                    "less low": less.lows[place],
                    "less high": less.highs[place],
                }
                for place, (name, ranks) in enumerate(by_system.items())
            ]
        return pl.DataFrame(rows)


def new_users(recipe: Recipe, corpus: Corpus, *, share: float = 0.2, task: str | None = None) -> NewUsers:
    """Train without some people, and ask for what they had first and next.

    Args:
        recipe: Of a model that ranks items.
        corpus: The log.
        share: Of the people that are held out.
        task: Which ranks, of events of any behaviour; the first that does if left out.

    Raises:
        RequestError: An argument cannot be, or the recipe reads what is known of people.
        DataError: Too few people are left, or none of those held out can be asked for.
    """
    ranking = recipe.tasks_that_rank()
    if task not in (None, *ranking) or not ranking:
        raise RequestError("new users task", f"one of {', '.join(ranking)}", repr(task))
    if not 0 < share <= 0.5:
        raise RequestError("new users share", "a number above 0, .5 at most", f"{share:g}")
    if recipe.inputs_of_people:
        raise RequestError(
            "new users", "a recipe that reads events alone", "one that reads attributes of people"
        )
    sequences = corpus.sequences
    drawn = generator(recipe.seed, "new users").permutation(sequences.num_users)
    held = np.zeros(sequences.num_users, np.bool_)
    held[drawn[: int(np.ceil(share * sequences.num_users))]] = True
    if held.all():
        raise DataError("new users", "two people at least", f"{len(held)}")
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(recipe, _of(corpus, ~held), Path(folder))
    training = fitted.split.training(fitted.corpus.sequences)
    masked = recipe.evaluation.history[0] == "masked"
    asked = _Asked(fitted, task or ranking[0], training, masked, _references(training, recipe.seed))
    users, ranks = {}, {}
    for shown in SHOWN:
        windows, targets = _targets(
            sequences, np.flatnonzero(held), shown, event_counts(training) > 0, masked
        )
        if len(targets):
            users[shown] = sequences.users_of(targets)
            ranks[shown] = asked.ranks(sequences, windows, targets)
    if not ranks:
        raise DataError("new users", "one who had an item that others had before", "none", "use a longer log")
    return NewUsers(int(held.sum()), users, ranks)


def _of(corpus: Corpus, kept: NDArray[np.bool_]) -> Corpus:
    """The log of some people."""
    offsets = np.asarray(corpus.sequences.offsets)
    windows = Windows(offsets[:-1][kept].astype(np.int64), offsets[1:][kept].astype(np.int64))
    users = Vocabulary(corpus.users.ids.filter(pl.Series(kept)))
    return replace(corpus, users=users, sequences=cut_out(corpus.sequences, windows))


def _references(training: Sequences, seed: int) -> dict[str, Source]:
    """Fitted on what trains the model; those whose package is missing are left out."""
    found: dict[str, Source] = {}
    for name in REFERENCES:
        try:
            config = parse_plugin("sources", {"kind": name}, "new users")
            assert isinstance(config, SourceConfig)
            found[name] = config.fit(training, seed)
        except RecipeError:
            continue
    return found


def _targets(
    sequences: Sequences, users: NDArray[np.int64], shown: int, known_I: NDArray[np.bool_], masked: bool
) -> tuple[Windows, NDArray[np.int64]]:
    """The first events of some people, and the place of what each had next."""
    starts, stops, places = [], [], []
    for user in users.tolist():
        start, stop = int(sequences.offsets[user]), int(sequences.offsets[user + 1])
        place = start + shown
        if place >= stop:
            continue
        if shown and sequences.times is not None:
            later = np.flatnonzero(sequences.times[place:stop] > sequences.times[place - 1])
            if not len(later):
                continue
            place += int(later[0])
        item = int(sequences.items[place])
        if known_I[item] and not (masked and item in sequences.items[start : start + shown]):
            starts.append(start)
            stops.append(start + shown)
            places.append(place)
    return Windows(np.array(starts, np.int64), np.array(stops, np.int64)), np.array(places, np.int64)


@dataclass(frozen=True)
class _Asked:
    """What is asked for new people."""

    fitted: FittedLog
    task: str
    training: Sequences
    masked: bool
    references: Mapping[str, Source]

    def ranks(
        self, sequences: Sequences, windows: Windows, targets: NDArray[np.int64]
    ) -> dict[str, NDArray[np.int64]]:
        """The rank of each target by system."""
        size = max(1, SCORES_IN_MEMORY // sequences.num_items)
        parts: dict[str, list[NDArray[np.int64]]] = {}
        idle_I = torch.from_numpy(event_counts(self.training) == 0)
        for start in range(0, len(targets), size):
            rows = slice(start, start + size)
            histories = cut_out(sequences, windows[rows])
            items_B1 = torch.from_numpy(sequences.items[targets[rows]].astype(np.int64))[:, None]
            hidden_BI = np.zeros((len(items_B1), sequences.num_items), np.bool_)
            if self.masked:
                hide(hidden_BI, histories)
            for name, said_BI in self._scores(sequences, windows[rows], targets[rows], histories).items():
                scores_BI = said_BI.masked_fill(torch.from_numpy(hidden_BI) | idle_I, float("-inf"))
                above = (scores_BI >= scores_BI.gather(1, items_B1)).sum(1)
                parts.setdefault(name, []).append(above.numpy())
        return {name: np.concatenate(own) for name, own in parts.items()}

    def _scores(
        self, sequences: Sequences, windows: Windows, targets: NDArray[np.int64], histories: Sequences
    ) -> dict[str, Tensor]:
        counting = {name: torch.from_numpy(own.score(histories)) for name, own in self.references.items()}
        if not histories.num_events:
            counts_VI = np.bincount(self.training.items, minlength=self.training.num_items)[None]
            everybody_I = torch.from_numpy(recent(_one_behaviour(self.training), counts_VI)[0])
            return {MODEL: everybody_I.expand(len(targets), -1), **counting}
        model, ranker = self.fitted.model.eval(), self.fitted.ranker
        times = None if sequences.times is None else sequences.times[targets].astype(np.int64)
        states_BTD = last_states(model, sequences, windows, times, TOKENS)

        def logits(task: str) -> Tensor:
            with torch.no_grad():
                return model.task(task).score_items(states_BTD[:, model.place(task)]).cpu()

        mixer = None if ranker is None else ranker.mixer(self.task, "masked" if self.masked else "kept")
        if ranker is None or mixer is None:
            return {MODEL: logits(self.task), **counting}
        said = ranker.say(mixer, histories, {name: logits(name).numpy() for name in ranker.reads(mixer)})
        mixed = torch.from_numpy(mixer.total(said, histories.lengths))
        return {MODEL: mixed, ALONE: logits(self.task), **counting}


def _one_behaviour(sequences: Sequences) -> Sequences:
    return replace(sequences, behaviours=np.zeros_like(sequences.behaviours), num_behaviours=1)
