"""People without a single event of whom something is known: what is popular, moved towards their like.

Where histories are kept, events of people who have the same word in a column, or a number near theirs, are
counted: naive Bayes, each column drawn towards what is popular. Where none are kept (counts of a rare word
would tell of those who have it) the model is asked what follows each of the most frequent items, once for
somebody of whom something is known and once for one of whom nothing is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.answering.mixing import logits
from intertask.data.batches import TOKENS
from intertask.data.people import nobody
from intertask.data.seam import RowFields
from intertask.data.sequences import Sequences, from_lists
from intertask.data.windows import Windows
from intertask.events import beside
from intertask.events.requests import Asked
from intertask.events.systems import last_states
from intertask.inputs.table import FIRST, Cells
from intertask.model import Model

FREQUENT, LEAST = 64, 8  # items that might have come first
SCORES = 4_000_000  # of them at once: of a hundred thousand items fewer are asked about
SHARE = 0.5  # of all events: so many are as they are in all, beside those of people alike
NEAR = 5  # of people of whom a number is known, one in so many is near
REMEMBERED = 1_000  # counts, of the columns
TRUST = 0.5  # of what the attributes say: whoever has no event is not quite like those who have some

Kind = Literal["category", "number"]


@dataclass(frozen=True)
class Strangers:
    """What the attributes of people without an event change.

    Args:
        model: In evaluation mode.
        popularity_I: Training events of each item.
        usual: Code of the behaviour of an event that is given without one.
        timed: Whether its events have times.
        stored: The events of the users that are kept, and what is known of them.
    """

    model: Model
    popularity_I: NDArray[np.int64]
    usual: int
    timed: bool
    stored: Sequences

    def factors(self, task: str, asked: Asked, rows: NDArray[np.int64]) -> Tensor | None:
        """What the popularity of items is multiplied by for some who have no event, float [rows, items].

        Args:
            task: That ranks items.
            asked: Whose histories.
            rows: Of those that are empty.

        Returns:
            None where nothing is known of any of them.
        """
        known = asked.sequences.beside
        own = np.array_equal(asked.windows.starts, asked.sequences.offsets[:-1])
        if not known or not len(rows) or not own:  # of a cut of a longer log nobody knows whose it is
            return None
        told_B = _differ(known, self._nobody)[torch.from_numpy(rows)]
        if not told_B.any():
            return None
        factors_BI = torch.ones(len(rows), len(self.popularity_I))
        for place in torch.nonzero(told_B)[:, 0].tolist():
            one = {name: fields.take(rows[place : place + 1]) for name, fields in known.items()}
            if self.stored.num_events and self.stored.beside:
                factors_BI[place] = self._counted(one).exp()
            else:
                factors_BI[place] = (TRUST * (self._expected(task, one) - self._usually(task))).exp()
        return factors_BI

    def _counted(self, known: Mapping[str, RowFields]) -> Tensor:
        """By how much the logarithm of each item's share is greater among people alike, float [items]."""
        change_I = torch.zeros(len(self.popularity_I))
        for name, own in known.items():
            theirs = self.stored.beside[name]
            if isinstance(own, Cells) and isinstance(theirs, Cells):
                for (kind, column), value in _said(own).items():
                    key = (name, kind, column, value)
                    if key not in self._changes:
                        if len(self._changes) >= REMEMBERED:
                            self._changes.clear()
                        self._changes[key] = self._change(_alike(theirs, kind, column, value))
                    change_I += self._changes[key]
        return change_I

    def _change(self, alike_U: NDArray[np.bool_]) -> Tensor:
        events = self.stored.items[np.repeat(alike_U, self.stored.lengths)]
        counts_I = np.bincount(events, minlength=len(self.popularity_I))
        usual_I = self.popularity_I + 1.0
        usual_I /= usual_I.sum()
        drawn = SHARE * self.stored.num_events
        shares_I = (counts_I + drawn * usual_I) / (len(events) + drawn)
        return torch.from_numpy(np.log(shares_I / usual_I)).float()

    @cached_property
    def _changes(self) -> dict[tuple[str, str, int, float], Tensor]:
        """By column and value; filled as they are asked for."""
        return {}

    @cached_property
    def _nobody(self) -> dict[str, RowFields]:
        readers = beside.readers_of(self.model)
        return beside.read(readers, nobody(beside.columns(readers), 1))

    @cached_property
    def _of_nobody(self) -> dict[str, Tensor]:
        """By task; filled as they are asked for."""
        return {}

    @cached_property
    def _firsts(self) -> NDArray[np.int64]:
        """The most frequent items."""
        most = int(np.clip(SCORES // len(self.popularity_I), LEAST, FREQUENT))
        order = np.argsort(-self.popularity_I, kind="stable")[:most]
        return order[self.popularity_I[order] > 0]

    def _usually(self, task: str) -> Tensor:
        if task not in self._of_nobody:
            self._of_nobody[task] = self._expected(task, self._nobody)
        return self._of_nobody[task]

    def _expected(self, task: str, known: Mapping[str, RowFields]) -> Tensor:
        """Log-probability of each item next, over what might have come first, float [items]."""
        count = len(self._firsts)
        histories = self._histories(count)
        same: NDArray[np.int64] = np.zeros(count, np.int64)
        histories = replace(histories, beside={name: own.take(same) for name, own in known.items()})
        windows = Windows(np.asarray(histories.offsets[:-1]), np.asarray(histories.offsets[1:]))
        states_FTD = last_states(self.model, histories, windows, None, TOKENS)
        frequent_F = torch.from_numpy(self.popularity_I[self._firsts]).float()
        shares_FI = logits(self.model, task, states_FTD).log_softmax(1)
        return (shares_FI + (frequent_F / frequent_F.sum()).log()[:, None]).logsumexp(0)

    def _histories(self, count: int) -> Sequences:
        """Of one event each."""
        return from_lists(
            [[item] for item in self._firsts.tolist()],
            len(self.popularity_I),
            [[self.usual]] * count,
            [[0]] * count if self.timed else None,
        )


def _differ(known: Mapping[str, RowFields], nothing: Mapping[str, RowFields]) -> Tensor:
    """Of which people something is known, bool [people]."""
    differ = [
        (told_BF != vars(nothing[name])[part]).flatten(1).any(1)
        for name, fields in known.items()
        for part, told_BF in vars(fields).items()
    ]
    return torch.stack(differ).any(0)


def _said(one: Cells) -> dict[tuple[Kind, int], float]:
    """What is known of one person, numbers and codes of known words, by kind and place of the column."""
    numbers = enumerate(zip(one.told_BF[0].tolist(), one.missing_BF[0].tolist(), strict=True))
    found: dict[tuple[Kind, int], float] = {
        ("number", place): told for place, (told, missing) in numbers if not missing
    }
    codes = enumerate(one.codes_BC[0].tolist())
    return found | {("category", place): code for place, code in codes if code >= FIRST}


def _alike(users: Cells, kind: Kind, column: int, value: float) -> NDArray[np.bool_]:
    """Users with the same word in a column, or with the nearest numbers in it, bool [users]."""
    if kind == "category":
        return np.asarray((users.codes_BC[:, column] == value).numpy())
    missing_U = users.missing_BF[:, column].numpy()
    away_U = np.where(missing_U, np.inf, np.abs(users.told_BF[:, column].numpy() - value))
    there = int((~missing_U).sum())
    if not there:
        return ~missing_U
    return np.asarray(away_U <= np.sort(away_U)[max(0, there // NEAR - 1)])
