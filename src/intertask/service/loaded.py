"""One model in memory, asked by histories from the store: many people at once, each with their own rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.answering import aims
from intertask.answering.answerer import Answerer, Ranked
from intertask.answering.objective import Objective
from intertask.answering.rules import Ignored, Rules, banned_items
from intertask.data.sequences import from_lists
from intertask.data.windows import Windows
from intertask.errors import RequestError
from intertask.events.requests import Asked
from intertask.recommender import Recommender
from intertask.service.attributes import Attributes, Cell
from intertask.service.marks import Marks
from intertask.service.placing import Places
from intertask.service.questions import Question, Step
from intertask.service.shelf import Person, Shelf

MICROSECONDS = 1_000_000
_NO_MOMENT = -(2**62)


@dataclass(frozen=True)
class Prepared:
    """A question, looked up as far as it concerns one person alone.

    Args:
        question: As it came.
        aim: A task or an objective.
        steps: The events that the model reads.
        seen: Items that are left out.
        banned_I: Items that may not be answered; None where every one may be.
        ignored: Ids of the request that change nothing.
        boost_I: Logarithms of what the probabilities of items are multiplied by; None where it is nothing.
        broken: Rules that could not be followed.
        attributes: What is known of the person, of what the model reads.
        strange: Properties of the person that the model cannot read.
    """

    question: Question
    aim: str | Objective
    steps: Sequence[Step]
    seen: Sequence[str]
    banned_I: Tensor | None
    ignored: Ignored
    boost_I: Tensor | None = None
    broken: int = 0
    attributes: Mapping[str, Cell] = field(default_factory=dict)
    strange: int = 0


class Loaded:
    """A model.

    Args:
        digest: Of its folder.
        recommender: Read from it.
        answerer: With more items than those of the folder; its own if left out.
    """

    def __init__(self, digest: str, recommender: Recommender, answerer: Answerer | None = None) -> None:
        self.digest, self.recommender = digest, recommender
        self.recipe = recommender.recipe
        self.answerer: Answerer = answerer or recommender.answerer
        self.attributes = Attributes(self.answerer.model)
        self.codes = {name: code for code, name in enumerate(self.answerer.reader.behaviours)}
        self.max_length = recommender.recipe.max_length
        self.masks_seen = recommender.recipe.evaluation.history[0] == "masked"
        self._items = Places(self.answerer.reader.items)
        self.marks = Marks(len(recommender.answerer.reader.items), self.num_items, self._items.names)
        self._shelves: dict[int, Shelf] = {}

    @classmethod
    def read(cls, folder: Path) -> "Loaded":
        """The model of a folder of the registry, warmed by a first answer.

        Raises:
            ArtefactError: It is not as it was written.
        """
        self = cls(folder.name, Recommender.load(folder))
        self.warm()
        return self

    def warm(self) -> None:
        """Give a first answer, which takes longer than those that follow."""
        if self.recipe.tasks_that_rank():
            self.rank([self.prepare(Question(tenant=0, person=None), [], [])])

    @property
    def reads_content(self) -> bool:
        """Whether it can rank an item by what is said of it."""
        return self.recommender.answerer.described is not None and self.recommender.catalogue is not None

    @property
    def num_items(self) -> int:
        """How many items it knows."""
        return len(self.answerer.reader.items)

    @property
    def usual(self) -> str:
        """The behaviour of an event that is given without one."""
        return self.behaviours[self.answerer.reader.usual]

    @cached_property
    def behaviours(self) -> tuple[str, ...]:
        """The names of the behaviours that it was trained on."""
        return self.answerer.reader.behaviours

    def places(self, items: Sequence[str]) -> NDArray[np.int32]:
        """The indices of items, -1 for unknown ones."""
        return self._items.of(items)

    def names(self, places: NDArray[np.integer]) -> list[str]:
        """The ids of items as text."""
        return self._items.names(places)

    def shelf(self, tenant: int) -> Shelf:
        """What a tenant says of the items; it is empty before it is brought up to date."""
        found = self._shelves.get(tenant)
        if found is None:
            ids = self.answerer.reader.items.ids.cast(pl.String)
            made = Shelf(tenant, ids, self._items.of, self.answerer.known, self.answerer.shelf)
            found = self._shelves.setdefault(tenant, made)
        return found

    def titles(self, tenant: int, ids: Sequence[str]) -> dict[str, str]:
        """The titles of items that have one."""
        catalogue = self.answerer.catalogue
        text = catalogue.text if catalogue is not None else ()
        return self.shelf(tenant).titles(ids, text[0] if text else None)

    def prepare(
        self,
        question: Question,
        steps: Sequence[Step],
        seen: Sequence[str],
        shelf: Shelf | None = None,
        person: Person = dict,
    ) -> Prepared:
        """A question with what the store says of the person.

        Args:
            question: As it came.
            steps: The person's events.
            seen: Items that are left out.
            shelf: What the tenant says of the items.
            person: Gives the person's properties.

        Raises:
            RequestError: It names what the model does not have.
        """
        shelf = self.shelf(question.tenant) if shelf is None else shelf
        hidden_I = shelf.banned_I
        aim = aims.aim(self.recipe, question.behaviour, question.task, question.objective)
        banned_I, ignored = hidden_I, Ignored()
        if question.served:
            served_I = self.marks.items(question.served)
            hidden_I = served_I if hidden_I is None else served_I | hidden_I
            banned_I = hidden_I
        matching_I, boost_I, broken = shelf.wishes(question, person)
        if question.allow is not None or question.deny is not None or matching_I is not None:
            own_I, ignored = banned_items(
                self.answerer.reader,
                self.answerer.known,
                None if question.allow is None else list(question.allow),
                None if question.deny is None else list(question.deny),
                matching_I,
            )
            if own_I is not None:
                banned_I = own_I if hidden_I is None else own_I | hidden_I
        known, strange = self.attributes.known(question.attributes, person)
        return Prepared(question, aim, steps, seen, banned_I, ignored, boost_I, broken, known, strange)

    def rank(self, together: Sequence[Prepared]) -> tuple[Ranked, list[Mapping[str, int]]]:
        """The lists of questions of one aim, and what was unknown in each."""
        asked, unknown = self._asked(together)
        k = min(self.num_items, max(one.question.ranked for one in together))
        ranked = self.answerer.rank(
            asked,
            together[0].aim,
            Rules(k, False, self._banned(together), self._boost(together), self._left_out(together)),
            _moments(together),
        )
        return ranked, unknown

    def read_steps(self, one: Prepared) -> list[Step]:
        """The events of a question that the model reads: the last ones of what it knows."""
        places = self.places([item for item, _, _ in one.steps]).tolist() if one.steps else []
        known = [
            step
            for step, place in zip(one.steps, places, strict=True)
            if place >= 0 and step[1] in self.codes
        ]
        return known[-self.max_length :]

    def scores(self, together: Sequence[Prepared], places_K: NDArray[np.int64]) -> NDArray[np.float32]:
        """The scores of some items for questions of one aim, float32 [questions, K]."""
        asked, _ = self._asked(together)
        banned_I = torch.ones(self.num_items, dtype=torch.bool)
        banned_I[torch.from_numpy(places_K)] = False
        ranked = self.answerer.rank(
            asked, together[0].aim, Rules(len(places_K), False, banned_I), _moments(together)
        )
        found_BI = np.zeros((len(together), self.num_items), np.float32)
        np.put_along_axis(found_BI, ranked.items_BK, ranked.scores_BK, 1)
        return found_BI[:, places_K]

    def judge(
        self,
        steps: Sequence[Step],
        items: list[str],
        task: str,
        at: int | None,
        known: Mapping[str, Cell] | None = None,
    ) -> dict[str, float]:
        """What somebody would answer to items: a probability or a value, of those that the model knows.

        Raises:
            RequestError: The task judges no items, or no event is of a known item.
        """
        tasks = self.answerer.model.config.tasks_that_judge()
        if task not in tasks:
            expected = f"a response task: {', '.join(tasks) or 'there is none'}"
            raise RequestError("task", expected, repr(task))
        nobody = Question(tenant=0, person=None)
        asked, _ = self._asked([Prepared(nobody, task, steps, [], None, Ignored(), attributes=known or {})])
        if (asked.windows.lengths == 0).any():
            raise RequestError("history", "at least one event of a known item", "none")
        places = self.places(items)
        there = places[places >= 0]
        if not len(there):
            return {}
        found = self.answerer.responses(asked, task, there, at)
        return dict(zip(self.names(there), found[task].to_list(), strict=True))

    def popular(self, k: int, hidden_I: Tensor | None) -> list[tuple[str, float]]:
        """What was most frequent in training: the answer where nothing else can be had."""
        counts = self.answerer.popularity.sum(0).astype(np.float32)
        counts[~self.answerer.trained] = -np.inf
        if hidden_I is not None:
            counts[hidden_I.numpy()] = -np.inf
        order = np.argsort(-counts, kind="stable")[:k]
        order = order[counts[order] > -np.inf]
        return list(zip(self.names(order), counts[order].tolist(), strict=True))

    def similar(self, item: str, k: int, hidden_I: Tensor | None) -> list[tuple[str, float]] | None:
        """The items that are most alike, by the cosine of their vectors; None of an item without one."""
        places = self.places([item])
        if places[0] < 0 or not self.answerer.known[places[0]]:
            return None
        ranked = self.answerer.similar(places, k, hidden_I)
        filled = ranked.filled_BK[0]
        names = self.names(ranked.items_BK[0][filled])
        return list(zip(names, ranked.scores_BK[0][filled].tolist(), strict=True))

    def _asked(self, together: Sequence[Prepared]) -> tuple[Asked, list[Mapping[str, int]]]:
        """The histories as the model reads them: the last events of items and behaviours that it knows."""
        flat = [item for one in together for item, _, _ in one.steps]
        places = self.places(flat).tolist() if flat else []
        items: list[list[int]] = []
        behaviours: list[list[int]] = []
        times: list[list[int]] = []
        unknown: list[Mapping[str, int]] = []
        stop = 0
        for one in together:
            start, stop = stop, stop + len(one.steps)
            codes = [self.codes.get(behaviour, -1) for _, behaviour, _ in one.steps]
            read = [n for n, (p, c) in enumerate(zip(places[start:stop], codes, strict=True)) if p >= 0 <= c]
            items.append([places[start + n] for n in read])
            behaviours.append([codes[n] for n in read])
            times.append([one.steps[n][2] // MICROSECONDS for n in read])
            unknown.append(_unknown(one, sum(place < 0 for place in places[start:stop]), codes.count(-1)))
        timed = self.answerer.reader.stored.times is not None
        sequences = from_lists(items, self.num_items, behaviours, times if timed else None)
        sequences = self.attributes.beside(sequences, [one.attributes for one in together])
        windows = Windows(sequences.offsets[:-1], sequences.offsets[1:])
        names = pl.Series("history", range(len(together)), dtype=pl.Int64)
        return Asked("history", names, sequences, windows), unknown

    def _banned(self, together: Sequence[Prepared]) -> Tensor | None:
        """What may not be answered: one row for all where it is the same, as it is without rules."""
        first = together[0].banned_I
        if all(one.banned_I is first for one in together):
            return first
        nothing_I = torch.zeros(self.num_items, dtype=torch.bool)
        return torch.stack([nothing_I if one.banned_I is None else one.banned_I for one in together])

    def _left_out(self, together: Sequence[Prepared]) -> list[NDArray[np.int32]]:
        """What each has seen: a few items, which cost less one by one than in a row of all."""
        places = self.places([item for one in together for item in one.seen])
        ends = np.cumsum([len(one.seen) for one in together])
        return [own[own >= 0] for own in np.split(places, ends[:-1])]

    def _boost(self, together: Sequence[Prepared]) -> Tensor | None:
        """What is preferred; None where nothing is."""
        if all(one.boost_I is None for one in together):
            return None
        nothing_I = torch.zeros(self.num_items)
        return torch.stack([nothing_I if one.boost_I is None else one.boost_I for one in together])


def _unknown(one: Prepared, items: int, behaviours: int) -> Mapping[str, int]:
    counts = {
        "history_items": items,
        "history_behaviours": behaviours,
        "allow": one.ignored.allow,
        "allow_untrained": one.ignored.untrained,
        "deny": one.ignored.deny,
        "rules": one.broken,
        "attributes": one.strange,
    }
    return {name: count for name, count in counts.items() if count}


def _moments(together: Sequence[Prepared]) -> NDArray[np.int64] | None:
    """The moment of each request; of one that names none, one before all events, which stands for none."""
    moments = [one.question.at for one in together]
    if all(moment is None for moment in moments):
        return None
    return np.array([_NO_MOMENT if moment is None else moment for moment in moments], np.int64)
