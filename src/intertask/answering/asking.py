"""What a trained model of a log is asked: lists, answers to items, what is alike."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import polars as pl

from intertask.answering import aims, neighbours
from intertask.answering.answerer import Answerer
from intertask.answering.arranging import Arrangement, boosts
from intertask.answering.attributes import told
from intertask.answering.door import Door
from intertask.answering.reasons import Reasons
from intertask.answering.rules import Rules, banned_items
from intertask.data.catalogue import Catalogue
from intertask.data.sequences import Sequences
from intertask.errors import RequestError
from intertask.events.requests import Event
from intertask.fitting.fitted import FittedLog
from intertask.model import Model
from intertask.options import arguments
from intertask.options.arguments import Id
from intertask.recipe import Recipe


class Asking(Door):
    """Something trained on a log that answers in the caller's own ids.

    Args:
        recipe: What it is made of.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.fitted: FittedLog | None = None
        self.refitted = False
        self.catalogue: Catalogue | None = None
        self._answerer: Answerer | None = None

    def recommend(
        self,
        users: Iterable[Id] | pl.Series | None = None,
        histories: Iterable[Iterable[Event]] | None = None,
        *,
        k: int = 10,
        behaviour: str | None = None,
        task: str | None = None,
        objective: Mapping[str, float] | None = None,
        exclude_seen: bool | None = None,
        allow: Iterable[Id] | pl.Series | None = None,
        deny: Iterable[Id] | pl.Series | None = None,
        where: str | None = None,
        at: datetime | None = None,
        titles: bool = False,
        boost: Mapping[str, float] | None = None,
        quota: Mapping[str, int] | None = None,
        diversity: float = 0.0,
        explain: bool = False,
        attributes: Sequence[Mapping[str, object]] | Mapping[str, object] | None = None,
    ) -> pl.DataFrame:
        """The best items for users of the log, or for histories that it has never seen.

        An empty history, or one of unknown items alone, is answered by what is popular of late: events count
        half as much after a while, which the log itself chooses. Items without a training event are in no
        list (`items` names them).

        Args:
            users: Ids of users, in a list, an iterator, or a column of Polars, pandas, Arrow or numpy.
            histories: For each person the events so far: items, (item, behaviour), or (item, behaviour,
                time). An item alone is of the log's most frequent behaviour. Events are given oldest first;
                where they have times, these order them, equal ones as they are given, and an event without
                one happened with the event before it.
            k: Length of each list; fewer items if fewer are left.
            behaviour: Recommend the next item of this behaviour, e.g. `purchase`; of any if left out.
            task: Use the task of this name, e.g. if several have the same behaviour.
            objective: Tasks and their weights, in place of a behaviour or a task: items are ranked by the
                weighted sum of the tasks' calibrated log-probabilities (of values: of how far they lie
                above the mean of the candidates, in standard deviations). Tasks that rank items and have a
                weight above zero find the best 1,000; response tasks and weights below zero judge those. Of
                a response task with a weight below zero the log-probability of no counts, by the weight
                without its sign: `{"buy": 1, "returned": -2}` demotes what will be returned.
            exclude_seen: Leave out the items of the history. If not given, the recipe's `[evaluation]
                history` decides: "masked" leaves them out, "kept" does not.
            allow: Recommend only these items; an empty list allows none. What the model does not know or was
                never trained changes nothing and is counted in a warning.
            deny: Never recommend these items; unknown ones are counted in a warning.
            where: Recommend only items whose catalogue columns meet this condition, e.g.
                `group == 'BAG' and price < 20 and 'new' in tags`.
            at: The moment of the request, for a model with query time; that of the last event otherwise.
            titles: Add a column `title`, from the catalogue.
            boost: Multiplies the probability of items by condition, e.g. `{"price < 20": 1.5}`.
            quota: The most items of a list by condition, e.g. `{"group == 'BAG'": 2}`.
            diversity: Towards 1 an item must be unlike those before it, by their vectors.
            explain: Add the columns `sources`, shares of what lifts the item above the mean of all, and
                `because`, items of the history without which it is less likely, the greatest loss first.
            attributes: What is known of each person, as `{"age": 31, "country": "FR"}`, for a model that
                reads it; it stands in place of what is kept of a user.

        Returns:
            Columns user (or history: 0, 1, ...), rank from 1, item, score; best first.

        Raises:
            RequestError: An unknown user, behaviour or task, or an argument that cannot be.
        """
        answerer = self._ready()
        reader = answerer.reader
        k = arguments.whole(k, "k", 1, len(reader.items), ", the size of the catalogue")
        moment = None if at is None else arguments.moment(at, "at")
        aim = aims.aim(self.recipe, behaviour, task, objective)
        if exclude_seen is None:
            exclude_seen = self.recipe.evaluation.history[0] == "masked"
        exclude_seen = arguments.flag(exclude_seen, "exclude_seen")
        asked = told(answerer, reader.read(users, histories, moment), attributes)
        asked.warn()
        matching = None if where is None else answerer.matching(where)
        banned_I, ignored = banned_items(reader, answerer.known, allow, deny, matching)
        if words := ignored.words():
            warnings.warn(
                f"items left out of the request: {words} (`items` of the model lists what it knows)",
                stacklevel=2,
            )
        titled = arguments.flag(titles, "titles")
        arrangement = Arrangement.read(answerer, diversity, quota)
        explained = arguments.flag(explain, "explain")
        if explained and not isinstance(aim, str):
            raise RequestError(
                "explain", "a list of one task", "an objective", "ask for a task or a behaviour"
            )
        rules = Rules(k, exclude_seen, banned_I, boosts(answerer, boost))
        ranked = arrangement.rank(answerer, asked, aim, rules, moment)
        found = answerer.frame(asked, ranked)
        if titled:
            found = found.with_columns(answerer.titles(found["item"]))
        if explained and isinstance(aim, str):
            found = found.with_columns(Reasons(answerer, aim, rules, moment).columns(asked, ranked))
        return found

    def predict(
        self,
        users: Iterable[Id] | pl.Series | None = None,
        histories: Iterable[Iterable[Event]] | None = None,
        *,
        items: Iterable[Id] | pl.Series,
        task: str,
        at: datetime | None = None,
        attributes: Sequence[Mapping[str, object]] | Mapping[str, object] | None = None,
    ) -> pl.DataFrame:
        """The answer of a response task for each user or history and each item: a probability or a value.

        Args:
            users: As for `recommend`.
            histories: As for `recommend`; each with one known item at least.
            items: The items to judge.
            task: Name of a response task.
            at: As for `recommend`.
            attributes: As for `recommend`.

        Returns:
            Columns user (or history), item, and the task's name.

        Raises:
            RequestError: As for `recommend`, or the task is no response task.
        """
        answerer = self._ready()
        moment = None if at is None else arguments.moment(at, "at")
        name = aims.response_task(answerer.model, task)
        asked = told(answerer, answerer.reader.read(users, histories, moment), attributes)
        asked.warn()
        places = answerer.reader.item_places(items, "items")
        if idle := int((~answerer.known[places]).sum()):
            warnings.warn(f"{idle:,} of {len(places):,} items have no training event", stacklevel=2)
        if (asked.windows.lengths == 0).any():
            raise RequestError("histories", "at least one event of a known item each", "an empty history")
        return answerer.responses(asked, name, places, moment)

    def similar(
        self,
        items: Iterable[Id] | pl.Series,
        *,
        k: int = 10,
        by: Literal["vectors", "content", "events"] = "vectors",
    ) -> pl.DataFrame:
        """The items that are most alike, for each of some items.

        Args:
            items: Items with a training event, or with content that the model reads; the vectors of others
                are random.
            k: Length of each list.
            by: "vectors": as the model learned them; "content": by what the catalogue says, also of items
                that were never trained; "events": by who had both.

        Returns:
            Columns item, rank from 1, similar, score (the cosine); best first.

        Raises:
            RequestError: An item is unknown, or was never trained.
        """
        return neighbours.frame(self._ready(), items, k, by)

    def history(self, user: Id) -> pl.DataFrame:
        """What a user did, oldest first: columns item and behaviour.

        Raises:
            RequestError: The user is unknown.
        """
        return self._ready().reader.history(arguments.identifier(user, "user"))

    @property
    def model(self) -> Model:
        """The neural network."""
        return self._ready().model

    @property
    def answerer(self) -> Answerer:
        """What answers: histories as arrays in, lists as arrays out; for programs with many requests."""
        return self._ready()

    @property
    def histories(self) -> Sequences:
        """The users' events that it answers from."""
        return self._ready().reader.stored

    @property
    def users(self) -> pl.Series:
        """Ids of the users that it can be asked about."""
        return self._ready().reader.users.ids

    @property
    def items(self) -> pl.DataFrame:
        """The items that it knows: columns item, title where the catalogue has text, and trained.

        Items without a training event are not trained: no list holds them.
        """
        return self._ready().items()

    def _facts(self) -> list[tuple[str, str]] | None:
        if self._answerer is None:
            return None
        reader = self._answerer.reader
        counts = [("items", f"{len(reader.items):,}"), ("users", f"{len(reader.users):,}")]
        return [*counts, ("behaviours", ", ".join(reader.behaviours))]

    def _ready(self) -> Answerer:
        if self._answerer is None:
            raise RequestError(
                "Recommender", "a trained model", "an untrained one", "call fit() or load() first"
            )
        return self._answerer
