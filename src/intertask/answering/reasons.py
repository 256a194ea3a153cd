"""Where an item of a list comes from: which sources lift it, and which events of the history."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from intertask.answering.answerer import Answerer, Ranked
from intertask.answering.mixing import told
from intertask.answering.rules import Rules
from intertask.data.sequences import Sequences, from_lists
from intertask.data.windows import Windows, cut_out
from intertask.events.requests import Asked
from intertask.rankers import MODEL

EVENTS = 20  # distinct items of a history that are left out in turn, the last ones
NAMED = 3  # of those that are named
LEAST = 1e-6  # nats; less is rounding


@dataclass(frozen=True)
class Reasons:
    """Answers of one task, explained.

    Args:
        answerer: Who answered.
        task: What was asked for.
        rules: As it was asked.
        at: The moment of the request, if any was given.
    """

    answerer: Answerer
    task: str
    rules: Rules
    at: int | None

    def columns(self, asked: Asked, ranked: Ranked) -> list[pl.Series]:
        """Columns `sources` and `because`, a row for each place of the lists that is filled.

        `sources` are the shares that each source has in what lifts the item above the mean of the
        catalogue. `because` are items of the history without which the item would be less likely, the
        greatest loss first: each was left out, and everything asked again.
        """
        sources: list[list[dict[str, object]]] = []
        because: list[list[int]] = []
        for row in range(len(asked)):
            items = ranked.items_BK[row][ranked.filled_BK[row]].astype(np.int64)
            own = cut_out(asked.sequences, asked.windows[np.array([row])])
            sources += self._shares(own, items)
            because += self._because(own, items)
        ids = self.answerer.reader.items
        told = [ids.decode(np.array(places, np.int64)).to_list() for places in because]
        struct = pl.List(pl.Struct({"source": pl.String, "share": pl.Float64}))
        return [
            pl.Series("sources", sources, dtype=struct),
            pl.Series("because", told, dtype=pl.List(ids.ids.dtype)),
        ]

    def _shares(self, history: Sequences, items: NDArray[np.int64]) -> list[list[dict[str, object]]]:
        if not history.num_events:
            return [[{"source": "popularity", "share": 1.0}] for _ in items]
        lifts = self._lifts(history, items)
        total_N = np.sum(list(lifts.values()), axis=0)
        found = []
        for place in range(len(items)):
            whole = float(total_N[place])
            own = [(name, float(lift[place]) / whole) for name, lift in lifts.items() if lift[place] > 0]
            own.sort(key=lambda pair: -pair[1])
            found.append([{"source": name, "share": share} for name, share in own])
        return found

    def _lifts(self, history: Sequences, items: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """How far each source lifts each item above the mean of the catalogue, none below zero."""
        answerer, seen = self.answerer, bool(np.asarray(self.rules.exclude_seen).all())
        ranker = answerer.ranker
        mixer = None if ranker is None else ranker.mixer(self.task, "masked" if seen else "kept")
        if ranker is None or mixer is None:
            return {MODEL + self.task: np.ones(len(items), np.float32)}
        states_BTD = answerer.states(_alone(history), np.zeros(1, np.int64), self.at)
        read = {name: told(answerer.model, name, states_BTD) for name in ranker.reads(mixer)}
        said = ranker.say(mixer, history, read)
        everything = np.arange(history.num_items)
        terms_KI = mixer.terms(said, 0, int(history.lengths[0]), everything)
        lifts_KN = np.maximum(terms_KI[:, items] - terms_KI.mean(1, keepdims=True), 0)
        return dict(zip(mixer.columns, lifts_KN, strict=True))

    def _because(self, history: Sequences, items: NDArray[np.int64]) -> list[list[int]]:
        last = list(dict.fromkeys(history.items[::-1].tolist()))[:EVENTS]
        if not last or not len(items):
            return [[] for _ in items]
        kept = [np.ones(history.num_events, bool), *(history.items != item for item in last)]
        shares = self._log_shares(_several(history, kept), items)
        losses = shares[0] - shares[1:]  # of each event and item
        found = []
        for place in range(len(items)):
            order = np.argsort(-losses[:, place], kind="stable")[:NAMED]
            found.append([last[n] for n in order.tolist() if losses[n, place] > LEAST])
        return found

    def _log_shares(self, histories: Sequences, items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log-probabilities of some items, [histories, items]; of an empty history by popularity."""
        seen = bool(np.asarray(self.rules.exclude_seen).all())
        scores_BI = self.answerer.scores(_alone(histories), self.task, self.at, seen)
        empty_B = torch.from_numpy(histories.lengths == 0)
        scores_BI[empty_B] = (scores_BI[empty_B] + 1).log()
        shares: NDArray[np.float64] = scores_BI.double().log_softmax(1).numpy()
        return shares[:, items]


def _alone(histories: Sequences) -> Asked:
    """Histories as questions."""
    names = pl.Series("history", range(histories.num_users), dtype=pl.Int64)
    windows = Windows(np.asarray(histories.offsets[:-1]), np.asarray(histories.offsets[1:]))
    return Asked("history", names, histories, windows)


def _several(history: Sequences, kept: list[NDArray[np.bool_]]) -> Sequences:
    """One history with some of its events, several times; what is known of its user stays."""
    places = [np.flatnonzero(own) for own in kept]
    same: NDArray[np.int64] = np.zeros(len(kept), np.int64)
    found = from_lists(
        [history.items[own].tolist() for own in places],
        history.num_items,
        [history.behaviours[own].tolist() for own in places],
        None if history.times is None else [history.times[own].tolist() for own in places],
    )
    return replace(found, beside={name: own.take(same) for name, own in history.beside.items()})
