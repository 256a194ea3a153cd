"""A trained model that answers in the user's own ids. The door of the library; it opens on `Recommender`.

Frames in, frames out. Everything that a request needs is in the model: the users' histories, the items,
the recipe; the log is not needed again.
"""

import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Literal

import polars as pl

from intertask import artefact
from intertask.answering import aims, neighbours, updating
from intertask.answering.answerer import Answerer, popularity
from intertask.answering.arranging import Arrangement, boosts
from intertask.answering.door import Door
from intertask.answering.reasons import Reasons
from intertask.answering.recommender_folder import opened, reader_of, stored
from intertask.answering.rules import Rules, banned_items
from intertask.artefact.log import LogArtefact
from intertask.data.catalogue import Catalogue
from intertask.data.corpus import Corpus
from intertask.data.event_log import EventLog
from intertask.data.prepare import prepare
from intertask.data.sequences import Sequences
from intertask.data.tables import Source
from intertask.errors import ArtefactError, RequestError
from intertask.evaluate.results import Evaluation
from intertask.events.requests import Event
from intertask.fitting.assessment import assess, corpus_of, refuse_refitted
from intertask.fitting.experiment import fit
from intertask.fitting.fitted import FittedLog
from intertask.fitting.starting import Start
from intertask.model import Model
from intertask.newcomers import items as new_items
from intertask.newcomers import users as new_users
from intertask.newcomers import warming
from intertask.options import arguments
from intertask.options.arguments import Id
from intertask.recipe import Recipe
from intertask.terminal.progress import Epoch, heard, remark


class Recommender(Door):
    """Trains on a log, recommends, saves and loads.

    Example:
        >>> import intertask as it, polars as pl
        >>> log = pl.DataFrame({"user": [u for u in "abcd" for _ in range(5)], "item": list(range(5)) * 4})
        >>> recipe = it.Recipe(width=8, train={"epochs": 1}, evaluation={"baselines": {"p": "popularity"}})
        >>> model = it.Recommender(recipe).fit(it.EventLog.read(log))
        >>> model.recommend(histories=[[0, 1]], k=2).columns
        ['history', 'rank', 'item', 'score']
    """

    def __init__(self, recipe: Recipe | None = None) -> None:
        if recipe is not None and not isinstance(recipe, Recipe):
            hint = "Recommender.from_recipe(...) reads a file"
            raise RequestError("Recommender", "a Recipe", arguments.shown(recipe), hint)
        super().__init__(recipe or Recipe())
        self.fitted: FittedLog | None = None
        self.refitted = False
        self.catalogue: Catalogue | None = None
        self._answerer: Answerer | None = None

    def fit(
        self,
        events: EventLog | Corpus,
        catalogue: Catalogue | None = None,
        run: str | Path | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
        start_from: "Recommender | None" = None,
    ) -> "Recommender":
        """Train on a log.

        Args:
            events: The log, or a corpus that was prepared from one.
            catalogue: The catalogue of the items; items that it does not list can be recommended as well.
            run: A folder for the journal and the checkpoints. A run that was stopped there goes on. Without
                it both are gone when training ends.
            on_epoch: Called at the end of each epoch, with its number, losses and validation metrics. What
                it raises ends the training, which goes on in the same `run`.
            start_from: A trained model of the same recipe, whose weights the training starts from; new items
                start from nothing.

        Raises:
            DataError: The log cannot be trained on.
            RecipeError: The recipe does not fit the log.
            TrainingError: A loss is not finite.
        """
        if not isinstance(events, EventLog | Corpus):
            raise RequestError("fit", "an EventLog", type(events).__name__, "read it with EventLog.read(...)")
        if catalogue is not None and not isinstance(catalogue, Catalogue):
            raise RequestError(
                "fit", "a Catalogue", type(catalogue).__name__, "read it with Catalogue.read(...)"
            )
        place = Path() if run is None else arguments.path(run, "run")
        read = catalogue if self.recipe.items.reads_catalogue else None
        if isinstance(events, EventLog):
            corpus = prepare(events, catalogue=read)
        else:
            corpus = events if read is None else events.described_by(read)
        with tempfile.TemporaryDirectory() if run is None else nullcontext(place) as folder, heard(on_epoch):
            fitted = fit(self.recipe, corpus, Path(folder), _start(start_from))
        self._take(fitted, catalogue)
        return self

    @classmethod
    def trained(cls, recipe: Recipe, fitted: FittedLog, catalogue: Catalogue | None = None) -> "Recommender":
        """A recommender of what has been trained, as one of several streams."""
        self = cls(recipe)
        self._take(fitted, catalogue)
        return self

    def _take(self, fitted: FittedLog, catalogue: Catalogue | None) -> None:
        corpus = fitted.corpus
        self.fitted, self.catalogue, self.refitted = fitted, catalogue, fitted.refitted
        counts = popularity(fitted.split.training(corpus.sequences), len(corpus.behaviours))
        self._answerer = Answerer(
            fitted.model.eval(), reader_of(corpus, counts), counts, catalogue, fitted.ranker
        )
        if idle := int((~self._answerer.known).sum()):
            warnings.warn(
                f"{idle:,} of {len(corpus.items):,} items have no training event: no list holds them "
                "(`items` of the model names them)",
                stacklevel=3,
            )

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
    ) -> pl.DataFrame:
        """The best items for users of the log, or for histories that it has never seen.

        An empty history, or one of unknown items alone, is answered by what is popular. Items without a
        training event are in no list (`items` names them).

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
        asked = reader.read(users, histories, moment)
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
    ) -> pl.DataFrame:
        """The answer of a response task for each user or history and each item: a probability or a value.

        Args:
            users: As for `recommend`.
            histories: As for `recommend`; each with one known item at least.
            items: The items to judge.
            task: Name of a response task.
            at: As for `recommend`.

        Returns:
            Columns user (or history), item, and the task's name.

        Raises:
            RequestError: As for `recommend`, or the task is no response task.
        """
        answerer = self._ready()
        moment = None if at is None else arguments.moment(at, "at")
        name = aims.response_task(answerer.model, task)
        asked = answerer.reader.read(users, histories, moment)
        asked.warn()
        places = answerer.reader.item_places(items, "items")
        if idle := int((~answerer.known[places]).sum()):
            warnings.warn(f"{idle:,} of {len(places):,} items have no training event", stacklevel=2)
        if (asked.windows.lengths == 0).any():
            raise RequestError("histories", "at least one event of a known item each", "an empty history")
        return answerer.responses(asked, name, places, moment)

    def similar(
        self, items: Iterable[Id] | pl.Series, *, k: int = 10, by: Literal["model", "events"] = "model"
    ) -> pl.DataFrame:
        """The items that the model takes for most alike, for each of some items.

        Args:
            items: Items with a training event, or with content that the model reads; the vectors of others
                are random.
            k: Length of each list.
            by: "model": by the vectors that it learned; "events": by who had both.

        Returns:
            Columns item, rank from 1, similar, score (the cosine); best first.

        Raises:
            RequestError: An item is unknown, or was never trained.
        """
        return neighbours.frame(self._ready(), items, k, by)

    def evaluate(
        self,
        events: EventLog | Corpus | None = None,
        *,
        run: str | Path | None = None,
        part: Literal["validation", "test"] = "test",
    ) -> Evaluation:
        """Measure the model and every baseline of the recipe on held-back events.

        Args:
            events: The log of the training; that of `fit` if left out. A model that was loaded needs it, or
                `run`.
            run: The folder of the run that trained the model, instead of a log.
            part: "validation" while you choose, "test" once.

        Raises:
            RequestError: No log is known, or one of other items or behaviours.
            LeakageError: The model was trained on other events than those of the training part.
        """
        answerer = self._ready()
        refuse_refitted(self.refitted)
        if events is None and run is None and self.fitted is not None:
            return assess(
                answerer.model, self.recipe, self.fitted.corpus, self.catalogue, part, None, answerer.ranker
            )
        read = self.catalogue if self.recipe.items.reads_catalogue else None
        corpus = corpus_of(events, run, answerer.reader.items.ids, answerer.reader.behaviours, read)
        return assess(
            answerer.model, self.recipe, corpus, self.catalogue, part, answerer.popularity, answerer.ranker
        )

    def _facts(self) -> list[tuple[str, str]] | None:
        if self._answerer is None:
            return None
        reader = self._answerer.reader
        counts = [("items", f"{len(reader.items):,}"), ("users", f"{len(reader.users):,}")]
        return [*counts, ("behaviours", ", ".join(reader.behaviours))]

    def save(self, folder: str | Path, *, histories: bool = True) -> None:
        """Write a model folder, all or nothing.

        Args:
            folder: The folder to write.
            histories: Keep the users' events, so that users can be asked for by id. Without them the
                model answers histories alone, and no user is in the folder.

        Raises:
            ArtefactError: Something else stands in that place.
        """
        answerer, place = self._ready(), arguments.path(folder, "save")
        keep = arguments.flag(histories, "histories")
        artefact.save(stored(answerer, self.recipe, self.catalogue, self.refitted, keep), place)

    @classmethod
    def load(cls, folder: str | Path) -> "Recommender":
        """The recommender that `save` wrote; it scores as before, to the bit.

        Args:
            folder: The folder of the model, or of the run that trained it.

        Raises:
            ArtefactError: Names the first file that is not as it was written.
        """
        folder = arguments.path(folder, "load")
        folder = artefact.find(folder) or folder
        if artefact.is_of_rows(folder):
            hint = "intertask.load(...) opens it, and predict asks it"
            raise ArtefactError(str(folder), "a model of a log", "one of rows of a table", hint)
        held = artefact.load(folder, LogArtefact)
        self = cls(held.recipe)
        self.catalogue, self.refitted = held.catalogue, held.refitted
        self._answerer = opened(held)
        return self

    def add_items(self, items: Source) -> pl.DataFrame:
        """Make items recommendable that came after the training, by their content; nothing is trained.

        An item that is known is updated. What is saved from now on holds them.

        Args:
            items: A frame or a file with a column `item`, and columns as those of the catalogue of the
                training, of which any may be missing.

        Returns:
            Columns item, added (False where it was updated), text (as it was read), nearest (the trained
            items that it is most like) and share (of the lists of ten of known users that will hold it).

        Raises:
            RequestError: The model does not read content, the frame has none of its columns, or the encoder
                of its texts is not here.
            DataError: The frame cannot be read.
        """
        answerer = self._ready()
        found = new_items.add(answerer, aims.first_ranking(answerer.model), items)
        self._answerer, self.catalogue, self.fitted = found.answerer, found.answerer.catalogue, None
        if words := found.words():
            remark(words)
        return found.frame

    def warm(self, events: EventLog) -> pl.DataFrame:
        """Improve the vectors of new items by their first events, in one step and without training.

        Args:
            events: What happened since, read behind the stored events of its users.

        Returns:
            Columns item, events (that were taken in now), evidence (all of them) and moved (how far the
            item's vector has moved).

        Raises:
            RequestError: The model reads no content, or no event is of a new item.
        """
        answerer = self._ready()
        if not isinstance(events, EventLog):
            raise RequestError(
                "warm", "an EventLog", type(events).__name__, "read it with EventLog.read(...)"
            )
        found = warming.warmed(answerer, aims.first_ranking(answerer.model), events)
        self._answerer, self.fitted = found.answerer, None
        return found.frame

    def update(self, events: EventLog) -> "Recommender":
        """Take what has happened since: into histories, popularity and sources that count; train nothing.

        A warning counts events that are left out, of unknown items or known already, and older ones, which
        are put in their place. Afterwards it cannot be evaluated.

        Args:
            events: Of known or new users.

        Raises:
            RequestError: They have a behaviour that the model does not know, or lack times that it needs.
        """
        if not isinstance(events, EventLog):
            hint = "read it with EventLog.read(...)"
            raise RequestError("update", "an EventLog", type(events).__name__, hint)
        found = updating.update(self._ready(), events)
        self._answerer, self.fitted = found.answerer, None
        if words := found.words():
            warnings.warn(f"events of the update: {words}", stacklevel=2)
        return self

    def stated(
        self,
        *,
        text: str | None = None,
        tags: Iterable[str] = (),
        liked: Iterable[Id] | None = None,
        k: int = 5,
    ) -> list[str] | list[int]:
        """Items that stand for what a new person says: a history to recommend by.

        Args:
            text: In words, as of items; needs a model that reads content, as do tags.
            tags: As the catalogue has them.
            liked: Known items.
            k: Items that stand for text and tags.

        Raises:
            RequestError: Nothing of it says anything to the model.
        """
        answerer = self._ready()
        k = arguments.whole(k, "k", 1, len(answerer.reader.items), ", the size of the catalogue")
        arguments.words({"text": text}, "text")
        return new_users.stated(answerer, text, new_users.words_of(tags), liked, k)

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

    def _ready(self) -> Answerer:
        if self._answerer is None:
            raise RequestError(
                "Recommender", "a trained model", "an untrained one", "call fit() or load() first"
            )
        return self._answerer


def _start(other: object) -> Start | None:
    """The model of another recommender, to start from.

    Raises:
        RequestError: It is none, or not trained.
    """
    if other is None:
        return None
    if not isinstance(other, Recommender):
        raise RequestError("start_from", "a trained Recommender", arguments.shown(other))
    answerer = other.answerer
    reader = answerer.reader
    return Start(answerer.model, reader.items, reader.behaviours, answerer.trained)
