"""From histories to ranked items: retrieve, apply the rules of the request, answer in arrays or frames.

Knows a model and the vocabularies it was trained on; nothing of files or training.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.answering import newness
from intertask.answering.condition import matching
from intertask.answering.mixing import Mixing, logits
from intertask.answering.objective import Objective
from intertask.answering.rules import Rules
from intertask.answering.strangers import Strangers
from intertask.content.described import Described
from intertask.data.batches import TOKENS
from intertask.data.catalogue import Catalogue
from intertask.data.people import People
from intertask.data.recency import recent
from intertask.data.sequences import Sequences
from intertask.errors import RequestError
from intertask.events.ranking import SCORES_IN_MEMORY
from intertask.events.requests import Asked, Reader
from intertask.events.systems import last_states
from intertask.items._raising import raised
from intertask.model import Model
from intertask.nn.best import best_items
from intertask.ranking import Ranker

Moments = int | NDArray[np.int64] | None


@dataclass(frozen=True)
class Ranked:
    """The best items of several histories, best first.

    Args:
        items_BK: Indices of items, int64.
        scores_BK: float32, falling; -inf where no item was left to fill the place.
    """

    items_BK: NDArray[np.int64]
    scores_BK: NDArray[np.float32]

    @property
    def filled_BK(self) -> NDArray[np.bool_]:  # noqa: N802
        """Which places hold an item."""
        return np.asarray(self.scores_BK > -np.inf)


@dataclass(frozen=True)
class Answerer:
    """A trained model that answers histories.

    Args:
        model: In evaluation mode.
        reader: Its vocabularies, and the users' events.
        popularity: int64 [behaviours, items], training events: the answer to an empty history.
        catalogue: Titles and columns of the items.
        ranker: What mixes the scores of the tasks with those of sources; None where the model ranks alone.
        people: What is known of users, where the model reads it.
    """

    model: Model
    reader: Reader
    popularity: NDArray[np.int64]
    catalogue: Catalogue | None = None
    ranker: Ranker | None = None
    people: People | None = None

    @cached_property
    def trained(self) -> NDArray[np.bool_]:
        """Items with a training event, bool [items]; the vectors of the others are random."""
        return np.asarray(self.popularity.sum(0) > 0)

    @cached_property
    def recent_VI(self) -> NDArray[np.float32]:  # noqa: N802
        """Events by behaviour and item, older ones worth less, for people of whom nothing is known."""
        return recent(self.reader.stored, self.popularity)

    @cached_property
    def strangers(self) -> Strangers:
        """What is known of people without an event, as it changes their lists."""
        timed = self.reader.stored.times is not None
        return Strangers(self.model, self.popularity.sum(0), self.reader.usual, timed, self.reader.stored)

    @property
    def described(self) -> Described | None:
        """What the catalogue says of each item, where the model reads it."""
        found = self.model.dimensions.described
        return found if isinstance(found, Described) else None

    @property
    def new_item_share(self) -> float:
        """Share of the places of lists that items without a training event may have."""
        return self.model.config.items.share_of_new

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Items that can be in a list, bool [items]: with a training event, or content to go by."""
        if self.described is None:
            return self.trained
        return np.asarray(self.trained | self.described.has_I | (self.described.evidence_I > 0))

    @cached_property
    def _fresh(self) -> tuple[Tensor, Tensor]:
        """Items that can be in a list and were never trained, and those that were, bool [items]."""
        assert self.described is not None
        learned_I = self.described.learned_I
        return torch.from_numpy(self.known & ~learned_I), torch.from_numpy(learned_I)

    @cached_property
    def shelf(self) -> pl.DataFrame | None:
        """The catalogue's row of each item, of nulls where it misses one; None without a catalogue."""
        return None if self.catalogue is None else self.catalogue.rows(self.reader.items.ids)

    def titles(self, items: pl.Series) -> pl.Series:
        """The title of each item, null where it has none.

        Raises:
            RequestError: There is no catalogue with text.
        """
        if self.shelf is None or self.catalogue is None or not self.catalogue.text:
            raise RequestError(
                "titles", "a catalogue with text", "none", "fit(log, Catalogue.read(..., text=[...]))"
            )
        places = self.reader.items.encode(items)
        return self.shelf[self.catalogue.text[0]].gather(places).rename("title")

    def items(self) -> pl.DataFrame:
        """The items, their titles, and whether they are trained; see `Recommender.items`."""
        frame = self.reader.items.ids.rename("item").to_frame()
        if self.catalogue is not None and self.catalogue.text:
            frame = frame.with_columns(self.titles(frame["item"]))
        return frame.with_columns(pl.Series("trained", self.trained))

    def matching(self, condition: object) -> NDArray[np.bool_]:
        """Items whose row of the catalogue meets a condition, bool [items].

        Raises:
            RequestError: There is no catalogue, or the condition cannot be read.
        """
        if self.shelf is None or self.catalogue is None:
            raise RequestError("where", "a catalogue", "none", "fit(log, Catalogue.read(...))")
        return matching(self.shelf.drop(self.catalogue.vectors), condition)

    @cached_property
    def directions_ID(self) -> NDArray[np.float32]:  # noqa: N802
        """The vector of each item, divided by its length; zeros where nothing is known of it."""
        assert self.model.items is not None
        vectors_ID = self.model.items.weight_ID.detach().float().cpu().numpy()
        lengths_I = np.linalg.norm(vectors_ID, axis=1).clip(min=1e-12)
        return np.where(self.known[:, None], vectors_ID / lengths_I[:, None], np.float32(0))

    def frame(self, asked: Asked, ranked: Ranked) -> pl.DataFrame:
        """Lists as a frame in the caller's ids."""
        filled_BK = ranked.filled_BK
        owners, ranks = np.nonzero(filled_BK)
        return pl.DataFrame(
            {
                asked.column: asked.names[owners],
                "rank": ranks + 1,
                "item": self.reader.items.decode(ranked.items_BK[filled_BK]),
                "score": ranked.scores_BK[filled_BK],
            }
        )

    def rank(self, asked: Asked, aim: str | Objective, rules: Rules, at: Moments) -> Ranked:
        """The same as arrays, without a frame for each request.

        Args:
            asked: The histories.
            aim: A task that ranks items, or an objective.
            rules: What may be answered, for all histories or for each.
            at: The moment of the request, or of each, in seconds since 1970; the last event's if None.
        """
        size = max(1, SCORES_IN_MEMORY // len(self.reader.items))
        starts = range(0, max(1, len(asked)), size)  # one empty batch where nobody asks: arrays all the same
        parts = [
            self._batch(asked, np.arange(start, min(len(asked), start + size)), aim, rules, at)
            for start in starts
        ]
        if len(parts) == 1:
            return parts[0]
        return Ranked(
            np.concatenate([part.items_BK for part in parts]),
            np.concatenate([part.scores_BK for part in parts]),
        )

    def scores(self, asked: Asked, task: str, at: int | None = None, seen: bool | None = None) -> Tensor:
        """A task's scores of all items for each history, [histories, items]; for a few of them.

        As the ranker mixes them where `seen` says whether items of the history are no candidates; else those
        of the model.
        """
        rows, known_B = np.arange(len(asked)), asked.windows.lengths > 0
        mixed = None if seen is None else self._mixed(asked, rows, Rules(1, seen, None))
        return self._scores(task, asked, rows, self.states(asked, rows[known_B], at), mixed)

    def similar(self, places_N: NDArray[np.int32], k: int, banned_I: Tensor | None = None) -> Ranked:
        """The items whose vectors point most nearly where an item's does, by their cosine, without itself."""
        cosines_NI = torch.from_numpy(self.directions_ID[places_N] @ self.directions_ID.T)
        cosines_NI[:, torch.from_numpy(~self.known)] = float("-inf")
        if banned_I is not None:
            cosines_NI[:, banned_I] = float("-inf")
        cosines_NI[torch.arange(len(places_N)), torch.from_numpy(places_N.astype(np.int64))] = float("-inf")
        values_NK, items_NK = best_items(cosines_NI, k)
        return Ranked(items_NK.numpy(), values_NK.numpy())

    def responses(self, asked: Asked, task: str, items_K: NDArray[np.int32], at: int | None) -> pl.DataFrame:
        """What each history's owner would answer to each item; see `Recommender.predict`."""
        rows = np.arange(len(asked))
        states_BTD = self.states(asked, rows, at)
        places_K = torch.from_numpy(items_K.astype(np.int64)).to(states_BTD.device)
        with torch.no_grad():  # one history at a time: histories x items x width is never in memory
            predicted = [
                self.model.predict(task, states_TD.expand(len(places_K), -1, -1), places_K).cpu()
                for states_TD in states_BTD
            ]
        columns = {
            asked.column: asked.names[np.repeat(rows, len(items_K))],
            "item": self.reader.items.decode(np.tile(items_K, len(asked))),
            task: torch.cat(predicted).numpy() if predicted else np.empty(0, np.float32),
        }
        return pl.DataFrame(columns)

    def _batch(
        self, asked: Asked, rows: NDArray[np.int64], aim: str | Objective, rules: Rules, at: Moments
    ) -> Ranked:
        rules = rules.of(rows)
        known_B = asked.windows[rows].lengths > 0
        states_BTD = self.states(asked, rows[known_B], at)
        mixed = self._mixed(asked, rows, rules)
        if isinstance(aim, str):
            scores_BI = self._scores(aim, asked, rows, states_BTD, mixed)
        else:
            shares = {
                name: self._log_shares(name, asked, rows, states_BTD, mixed)
                for name in aim.ranking(self.model)
            }
            scores_BI = aim.found(shares)
        if rules.boost_I is not None:
            scores_BI = _boosted(scores_BI, rules.boost_I, known_B | (not isinstance(aim, str)))
        if rules.banned_I is not None:
            scores_BI.masked_fill_(rules.banned_I, float("-inf"))
        excluding = np.flatnonzero(np.broadcast_to(rules.exclude_seen, len(rows)))
        if len(excluding):
            windows = asked.windows[rows[excluding]]
            for row, start, stop in zip(excluding.tolist(), windows.starts, windows.stops, strict=True):
                seen = torch.from_numpy(asked.sequences.items[start:stop].astype(np.int64))
                scores_BI[row, seen] = float("-inf")
        for row, left_out in enumerate(rules.left_out):
            scores_BI[row, torch.from_numpy(left_out.astype(np.int64))] = float("-inf")
        if isinstance(aim, Objective):
            judged_BI = aim.judged(
                self.model, scores_BI, shares, states_BTD, torch.from_numpy(known_B), rules.k
            )
            if rules.boost_I is not None and judged_BI is not scores_BI:  # what was judged began anew
                judged_BI = judged_BI + rules.boost_I
            scores_BI = judged_BI
        if self.new_item_share < 1 and not self.trained.all():
            most_B = newness.places(asked.sequences, asked.windows[rows], rules.k, self.new_item_share)
            newness.bound(scores_BI, ~self.trained, most_B)
        values_BK, items_BK = best_items(scores_BI, rules.k)
        return Ranked(items_BK.numpy(), values_BK.numpy())

    def _mixed(self, asked: Asked, rows: NDArray[np.int64], rules: Rules) -> "Mixing | None":
        if self.ranker is None:
            return None
        seen_B = np.broadcast_to(rules.exclude_seen, len(rows))
        return Mixing(self.model, self.ranker, asked.sequences, asked.windows[rows], seen_B)

    def _scores(
        self,
        task: str,
        asked: Asked,
        rows: NDArray[np.int64],
        states_BTD: Tensor,
        mixed: "Mixing | None" = None,
    ) -> Tensor:
        """A task's scores of all items; an empty history is answered by what is popular of late."""
        known_B = asked.windows[rows].lengths > 0
        if mixed is None:
            found = logits(self.model, task, states_BTD)
        else:
            found = mixed.scores(task, states_BTD, known_B)
        if self.described is not None:
            bonus = self.model.config.items.bonus_of_new(mixed=mixed is not None and mixed.mixes(task))
            raised(found, *self._fresh, bonus)
        if known_B.all():
            return found
        scores_BI = self._popular(task).expand(len(known_B), -1).clone()
        factors_BI = self.strangers.factors(task, asked, rows[~known_B])
        if factors_BI is not None:
            scores_BI[torch.from_numpy(~known_B)] *= factors_BI
        scores_BI[torch.from_numpy(known_B)] = found
        return scores_BI

    def _log_shares(
        self,
        task: str,
        asked: Asked,
        rows: NDArray[np.int64],
        states_BTD: Tensor,
        mixed: "Mixing | None" = None,
    ) -> Tensor:
        """A task's calibrated log-probabilities; of an empty history, the shares of the training events."""
        scores_BI = self._scores(task, asked, rows, states_BTD, mixed)
        # A mixture is learned by likelihood, and so is calibrated.
        calibrated = mixed is None or not mixed.mixes(task)
        shares_BI = self.model.task(task).log_shares(scores_BI) if calibrated else scores_BI.log_softmax(1)
        empty_B = torch.from_numpy(asked.windows[rows].lengths == 0)
        events_BI = scores_BI[empty_B] + 1
        shares_BI[empty_B] = events_BI.log() - events_BI.sum(1, keepdim=True).log()
        return shares_BI

    def _popular(self, task: str) -> Tensor:
        """Events of each item, the recent ones above all, of the behaviour that the task asks for."""
        behaviour = getattr(self.model.config.tasks[task], "behaviour", None)
        codes = slice(None) if behaviour is None else [self.reader.behaviours.index(behaviour)]
        return torch.from_numpy(self.recent_VI[codes].sum(0))

    def states(self, asked: Asked, rows: NDArray[np.int64], at: Moments) -> Tensor:
        """The states after some of the histories, none of which is empty, [rows, T, D]."""
        windows = asked.windows[rows]
        recent = type(windows)(
            np.maximum(windows.starts, windows.stops - self.model.config.max_length), windows.stops
        )
        times = None if at is None else np.broadcast_to(at, len(asked)).astype(np.int64)[rows]
        return last_states(self.model, asked.sequences, recent, times, TOKENS)


def _boosted(scores_BI: Tensor, boost_I: Tensor, logarithmic_B: NDArray[np.bool_]) -> Tensor:
    """Scores with what is preferred: added to logarithms; counts of events are multiplied."""
    rows_B1 = torch.from_numpy(logarithmic_B)[:, None]
    return torch.where(rows_B1, scores_BI + boost_I, scores_BI * boost_I.exp())


def popularity(training: Sequences, num_behaviours: int) -> NDArray[np.int64]:
    """Training events of each item by behaviour, int64 [behaviours, items]."""
    cells = training.behaviours.astype(np.int64) * training.num_items + training.items
    counts = np.bincount(cells, minlength=num_behaviours * training.num_items)
    return counts.reshape(num_behaviours, training.num_items)
