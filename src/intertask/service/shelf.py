"""The items of a tenant as one model sees them: hidden ones, properties as columns, rules.

Brought up to date by what has changed since the last look: a change of one item costs no look at the others.
"""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.answering.around import Around, matching_around
from intertask.errors import RequestError
from intertask.service import properties
from intertask.service.database import Reading
from intertask.service.properties import Item
from intertask.service.questions import Question, Value
from intertask.service.rules import Rule, rules

MOST_CONDITIONS = 64  # whose items are remembered
HINT = "set it: PUT /v1/items; or name it in the recipe, [data.catalogue], and train again"
_OF_A_REQUEST = ("user.", "context.", "age_days")

Person = Callable[[], Mapping[str, Value]]


class Shelf:
    """What a tenant says of the items that a model knows.

    Args:
        tenant: Whose.
        ids: The items' ids as text, in the model's order.
        places: The indices of ids, -1 for unknown ones.
        known_I: Items that the model can rank, bool [items].
        catalogue: The rows of the model's catalogue, in the same order; None without one.
    """

    def __init__(
        self,
        tenant: int,
        ids: pl.Series,
        places: Callable[[Sequence[str]], NDArray[np.int32]],
        known_I: NDArray[np.bool_],
        catalogue: pl.DataFrame | None,
    ) -> None:
        self._tenant, self._places, self._known_I = tenant, places, known_I
        self._catalogue = pl.DataFrame({"item": ids}) if catalogue is None else catalogue
        self._hidden_I = np.zeros(len(ids), dtype=bool)
        self._values: dict[str, list[Value]] = {}
        self._series: dict[str, pl.Series] = {}
        self._found: dict[str, NDArray[np.bool_]] = {}
        self._lock = threading.Lock()
        self.revision = -1
        self.rules: tuple[Rule, ...] = ()
        self.banned_I: Tensor | None = None

    def refresh(self, store: Reading, revision: int) -> None:
        """Bring everything to a revision, as a snapshot of the store has it."""
        if revision <= self.revision:
            return
        with self._lock:
            if revision <= self.revision:
                return
            self._take(properties.since(store, self._tenant, self.revision))
            self.rules = rules(store, self._tenant)
            banned_I = ~self._known_I | self._hidden_I
            self.banned_I = torch.from_numpy(banned_I) if banned_I.any() else None
            self._found = {}
            self.revision = revision

    def wishes(
        self, question: Question, person: Person
    ) -> "tuple[NDArray[np.bool_] | None, Tensor | None, int]":
        """What a request and the rules that are for it allow and prefer.

        Args:
            question: The request.
            person: Gives the properties of whoever asks.

        Returns:
            The items that may be answered, bool [items], None where all may; logarithms of the factors of
            items, None where there are none; and how many rules could not be followed.

        Raises:
            RequestError: A condition of the request cannot be read.
        """
        allowed_I, boost_I, broken = None, np.zeros(len(self._hidden_I), np.float32), 0
        given = Rule(name="", filter=question.where, boosts=question.boosts)
        for rule in (given, *self.rules):
            if rule is not given and not _is_for(rule, question):
                continue
            try:
                if rule.when is not None and not self.meets(rule.when, question, person)[:1].all():
                    continue
                if rule.filter is not None:
                    found_I = self.meets(rule.filter, question, person)
                    allowed_I = found_I if allowed_I is None else allowed_I & found_I
                for place, (condition, factor) in enumerate(rule.boosts):
                    found_I = self.meets(condition, question, person, f"boost.{place}.if")
                    boost_I[found_I] += np.float32(np.log(factor))
            except RequestError:
                if rule is given:
                    raise
                broken += 1  # of a property that no item has any more, say: lists go on
        return allowed_I, torch.from_numpy(boost_I) if boost_I.any() else None, broken

    def meets(
        self, condition: str, question: Question, person: Person, where: str = "filter"
    ) -> NDArray[np.bool_]:
        """Items that meet a condition, bool [items].

        Args:
            condition: As text.
            question: What `context.NAME` and the time are of.
            person: Gives what `user.NAME` is of.
            where: It stands in the request.

        Raises:
            RequestError: It cannot be read.
        """
        changes = any(word in condition for word in _OF_A_REQUEST)
        if not changes and (known := self._found.get(condition)) is not None:
            return known
        user = person() if "user." in condition else {}
        around = Around({"user": user, "context": question.context}, question.asked / 1e6, HINT)
        try:
            found_I = matching_around(self._rows(), condition, around)
        except RequestError as error:
            raise RequestError(where, error.expected, error.found, error.hint) from None
        if not changes:
            if len(self._found) >= MOST_CONDITIONS:
                self._found.pop(next(iter(self._found)))
            self._found[condition] = found_I
        return found_I

    def titles(self, ids: Sequence[str], column: str | None) -> dict[str, str]:
        """The titles of items that have one: their property `title`, or else a column of the catalogue."""
        known = dict(zip(ids, self._places(list(ids)).tolist(), strict=True))
        found = {}
        for item, place in known.items():
            own = self._values["title"][place] if place >= 0 and "title" in self._values else None
            if own is None and place >= 0 and column is not None:
                own = self._catalogue.get_column(column)[place]
            if isinstance(own, str):
                found[item] = own
        return found

    def _rows(self) -> pl.DataFrame:
        with self._lock:
            for name, values in self._values.items():
                if name not in self._series:
                    self._series[name] = typed(name, values)
            return self._catalogue.with_columns(self._series.values())

    def _take(self, items: Sequence[Item]) -> None:
        places = self._places([one.item for one in items]).tolist() if items else []
        for one, place in zip(items, places, strict=True):
            if place < 0:
                continue
            self._hidden_I[place] = one.hidden
            for name in one.properties.keys() - self._values.keys() - {"item"}:
                self._values[name] = self._begun(name)
            for name, values in self._values.items():
                value = one.properties.get(name, self._listed(name, place))
                if values[place] != value:
                    # Most texts are few words again and again.
                    values[place] = sys.intern(value) if isinstance(value, str) else value
                    self._series.pop(name, None)

    def _listed(self, name: str, place: int) -> Value:
        """What the catalogue says of an item."""
        if name not in self._catalogue.columns:
            return None
        found: Value = self._catalogue.get_column(name)[place]
        return found.to_list() if isinstance(found, pl.Series) else found

    def _begun(self, name: str) -> list[Value]:
        """What the catalogue says of a property: it stands where the tenant does not say otherwise."""
        if name not in self._catalogue.columns:
            return [None] * len(self._hidden_I)
        return list(self._catalogue.get_column(name).to_list())


def typed(name: str, values: Sequence[Value]) -> pl.Series:
    """Values as a column of the kind that most of them have; others count as missing."""
    kinds: dict[type, int] = {}
    for value in values:
        if value is not None:
            kinds[_kind(value)] = kinds.get(_kind(value), 0) + 1
    kind = max(kinds, key=lambda one: kinds[one], default=str)
    fitting = [value if value is not None and _kind(value) is kind else None for value in values]
    types = {bool: pl.Boolean(), float: pl.Float64(), str: pl.String(), list: pl.List(pl.String())}
    if kind is float:
        fitting = [None if value is None else float(value) for value in fitting]  # type: ignore[arg-type]
    return pl.Series(name, fitting, dtype=types[kind])


def _kind(value: Value) -> type:
    if isinstance(value, bool | str):
        return type(value)
    return float if isinstance(value, int | float) else list


def _is_for(rule: Rule, question: Question) -> bool:
    """Whether a rule is for a request, by its scenario and its time."""
    of_it = rule.scenario is None or rule.scenario == question.scenario
    return of_it and rule.first <= question.asked < rule.last
