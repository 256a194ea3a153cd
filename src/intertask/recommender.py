"""A trained model that answers in the user's own ids. The door of the library; it opens on `Recommender`.

Frames in, frames out. Everything that a request needs is in the model: the users' histories, the items,
the recipe; the log is not needed again.
"""

import tempfile
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Literal

from intertask import artefact
from intertask.answering.answerer import Answerer, popularity
from intertask.answering.recommender_folder import opened, reader_of, stored
from intertask.artefact.log import LogArtefact
from intertask.data.catalogue import Catalogue
from intertask.data.corpus import Corpus
from intertask.data.event_log import EventLog
from intertask.data.people import People
from intertask.data.prepare import prepare
from intertask.errors import ArtefactError, RequestError
from intertask.evaluate.results import Evaluation
from intertask.fitting.assessment import assess, corpus_of, refuse_refitted
from intertask.fitting.experiment import fit
from intertask.fitting.fitted import FittedLog
from intertask.fitting.starting import Start
from intertask.newcomers.growth import Growing
from intertask.options import arguments
from intertask.recipe import Recipe
from intertask.terminal.progress import Epoch, heard


class Recommender(Growing):
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

    def fit(
        self,
        events: EventLog | Corpus,
        catalogue: Catalogue | None = None,
        run: str | Path | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
        start_from: "Recommender | None" = None,
        people: People | None = None,
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
            people: What is known of the users of the log, for a recipe with [inputs.NAME].

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
        if people is not None and not isinstance(people, People):
            raise RequestError("fit", "People", type(people).__name__, "read them with People.read(...)")
        place = Path() if run is None else arguments.path(run, "run")
        read = catalogue if self.recipe.items.reads_catalogue else None
        if isinstance(events, EventLog):
            corpus = prepare(events, catalogue=read, people=people)
        else:
            corpus = events if read is None else events.described_by(read)
            corpus = corpus if people is None else replace(corpus, people=people)
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
            fitted.model.eval(),
            reader_of(corpus, counts),
            counts,
            catalogue,
            fitted.ranker,
            corpus.people if self.recipe.inputs_of_people else None,
        )
        if idle := int((~self._answerer.known).sum()):
            warnings.warn(
                f"{idle:,} of {len(corpus.items):,} items have no training event: no list holds them "
                "(`items` of the model names them)",
                stacklevel=3,
            )

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
        corpus = replace(corpus, people=corpus.people or answerer.people)
        return assess(
            answerer.model, self.recipe, corpus, self.catalogue, part, answerer.popularity, answerer.ranker
        )

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
