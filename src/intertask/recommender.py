"""A trained model that answers in the user's own ids. The door of the library; it opens on `Recommender`.

Frames in, frames out. Everything that a request needs is in the model: the users' histories, the items,
the recipe; the log is not needed again.
"""

import tempfile
from collections.abc import Sequence as ListLike
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask import artefact
from intertask.artefact import Artefact
from intertask.data.catalogue import Catalogue
from intertask.data.corpus import Corpus
from intertask.data.event_log import EventLog
from intertask.data.prepare import prepare
from intertask.data.sequences import Sequences
from intertask.errors import ArtefactError, RequestError
from intertask.evaluate.systems import last_states
from intertask.experiment import Fitted, build, fit
from intertask.model import Model
from intertask.recipe import Recipe
from intertask.requests import Asked, Event, Id, Reader, seconds
from intertask.train.checkpoint import set_weights, weights

SCORES_IN_MEMORY = 2**22  # 16 MiB of float32
TOKENS = 16384


@dataclass(frozen=True)
class Answerer:
    """A model with the vocabularies it was trained on; see `Recommender`."""

    model: Model
    reader: Reader
    popularity: NDArray[np.int64]


class Recommender:
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
        self.recipe = recipe or Recipe()
        self.fitted: Fitted | None = None
        self.catalogue: Catalogue | None = None
        self._answerer: Answerer | None = None

    @classmethod
    def from_recipe(cls, file: str | Path) -> "Recommender":
        """A recommender that will train as the recipe in a file says.

        Raises:
            RecipeError: The first thing that is wrong with the file.
        """
        return cls(Recipe.read(file))

    def fit(
        self, events: EventLog | Corpus, catalogue: Catalogue | None = None, run: str | Path | None = None
    ) -> "Recommender":
        """Train.

        Args:
            events: The log, or a corpus that was prepared from one.
            catalogue: What there is; items that it misses can be recommended all the same.
            run: A folder for the journal and the checkpoints. A run that was stopped there goes on. Without
                it both are gone when training ends.

        Raises:
            DataError: The log cannot be trained on.
            RecipeError: The recipe does not fit the log.
            TrainingError: A loss is not finite.
        """
        corpus = prepare(events) if isinstance(events, EventLog) else events
        if run is None:
            with tempfile.TemporaryDirectory() as folder:
                fitted = fit(self.recipe, corpus, Path(folder))
        else:
            fitted = fit(self.recipe, corpus, Path(run))
        self.fitted, self.catalogue = fitted, catalogue
        counts = _popularity(fitted.split.training(corpus.sequences), len(corpus.behaviours))
        self._answerer = Answerer(
            fitted.model.eval(),
            Reader(corpus.users, corpus.items, corpus.behaviours, corpus.sequences),
            counts,
        )
        return self

    def recommend(
        self,
        users: ListLike[Id] | pl.Series | None = None,
        histories: ListLike[ListLike[Event]] | None = None,
        *,
        k: int = 10,
        behaviour: str | None = None,
        task: str | None = None,
        exclude_seen: bool = True,
        allow: ListLike[Id] | pl.Series | None = None,
        deny: ListLike[Id] | pl.Series | None = None,
        at: datetime | None = None,
    ) -> pl.DataFrame:
        """The best items for users of the log, or for histories that it has never seen.

        An empty history, or one of unknown items alone, is answered by what is popular.

        Args:
            users: Ids of users.
            histories: For each person the events so far, oldest first: items, (item, behaviour), or
                (item, behaviour, time).
            k: Items for each; fewer where fewer are left.
            behaviour: Whose next item is asked for; any where it is left out.
            task: The task by its name, where several ask for the same behaviour.
            exclude_seen: Leave out the items of the history.
            allow: Nothing but these items.
            deny: None of these items.
            at: The moment of the request, for a model with query time; that of the last event otherwise.

        Returns:
            Columns user (or history: 0, 1, ...), rank from 1, item, score; best first.

        Raises:
            RequestError: An unknown user, item, behaviour or task, or a k that cannot be.
        """
        answerer = self._ready()
        reader = answerer.reader
        if not 1 <= k <= len(reader.items):
            raise RequestError("k", f"1 to {len(reader.items)}, the size of the catalogue", str(k))
        name = self._task(behaviour, task)
        asked = reader.read(users, histories)
        banned = self._banned(reader, allow, deny)
        parts = [
            self._answer(answerer, asked, rows, name, k, banned, exclude_seen, at)
            for rows in _chunks(len(asked), max(1, SCORES_IN_MEMORY // len(reader.items)))
        ]
        return pl.concat(parts)

    def predict(
        self,
        users: ListLike[Id] | pl.Series | None = None,
        histories: ListLike[ListLike[Event]] | None = None,
        *,
        items: ListLike[Id] | pl.Series,
        task: str,
        at: datetime | None = None,
    ) -> pl.DataFrame:
        """What each user, or each history, would answer to each item: a probability or a value.

        Args:
            users: As for `recommend`.
            histories: As for `recommend`; each with one known item at least.
            items: The items.
            task: A response task.
            at: As for `recommend`.

        Returns:
            Columns user (or history), item, and the task's name.

        Raises:
            RequestError: As for `recommend`, or the task is no response task.
        """
        answerer = self._ready()
        known = answerer.model.config.tasks_that_answer("response")
        if task not in known:
            raise RequestError("task", f"a response task: {', '.join(known) or 'there is none'}", repr(task))
        asked = answerer.reader.read(users, histories)
        places = torch.from_numpy(answerer.reader.item_places(items, "items").astype(np.int64))
        if (asked.windows.lengths == 0).any():
            raise RequestError("histories", "at least one event of a known item each", "an empty history")
        states = _states(answerer.model, asked, np.arange(len(asked)), at)[:, answerer.model.place(task)]
        with torch.no_grad():
            predicted = answerer.model.task(task).predict(
                states.repeat_interleave(len(places), 0), places.to(states.device).repeat(len(asked))
            )
        names = asked.names.gather(np.repeat(np.arange(len(asked)), len(places)))
        columns = {
            asked.column: names,
            "item": answerer.reader.items.decode(np.tile(places.numpy(), len(asked))),
            task: predicted.cpu().numpy(),
        }
        return pl.DataFrame(columns)

    def save(self, folder: str | Path, *, histories: bool = True) -> None:
        """Write a model folder, all or nothing.

        Args:
            folder: Where.
            histories: Keep the users' events, so that users can be asked for by id. Without them the
                model answers histories alone, and no user is in the folder.

        Raises:
            ArtefactError: Something else stands in that place.
        """
        answerer = self._ready()
        reader = answerer.reader
        stored, users = reader.stored, reader.users
        if not histories:
            stored = _nobody(stored)
            users = type(users)(users.ids.clear())
        artefact.save(
            Artefact(
                recipe=self.recipe,
                behaviours=reader.behaviours,
                items=reader.items,
                users=users,
                weights=artefact.as_arrays(weights(answerer.model)),
                histories=stored,
                popularity=answerer.popularity,
                catalogue=self.catalogue,
            ),
            Path(folder),
        )

    @classmethod
    def load(cls, folder: str | Path) -> "Recommender":
        """The recommender that `save` wrote; it scores as before, to the bit.

        Raises:
            ArtefactError: Names the first file that is not as it was written.
        """
        stored = artefact.load(Path(folder))
        self = cls(stored.recipe)
        corpus = Corpus(stored.users, stored.items, stored.behaviours, stored.histories)
        model = build(stored.recipe, corpus, stored.recipe.seed)
        expected = {name: weight.shape for name, weight in model.named_parameters()}
        found = {name: torch.from_numpy(array).shape for name, array in stored.weights.items()}
        if expected != found:
            raise ArtefactError(
                str(Path(folder) / "weights.safetensors"),
                "the weights of the recipe",
                "others",
                "save it again",
            )
        set_weights(model, {name: torch.from_numpy(array) for name, array in stored.weights.items()})
        self.catalogue = stored.catalogue
        self._answerer = Answerer(
            model.eval(),
            Reader(stored.users, stored.items, stored.behaviours, stored.histories),
            stored.popularity,
        )
        return self

    def history(self, user: Id) -> pl.DataFrame:
        """What a user did, oldest first: columns item and behaviour.

        Raises:
            RequestError: The user is unknown.
        """
        reader = self._ready().reader
        window = reader.read([user], None).windows
        events = slice(int(window.starts[0]), int(window.stops[0]))
        kinds = [reader.behaviours[code] for code in reader.stored.behaviours[events]]
        items = reader.items.decode(reader.stored.items[events])
        return pl.DataFrame({"item": items, "behaviour": pl.Series(kinds, dtype=pl.String)})

    @property
    def model(self) -> Model:
        """The neural network."""
        return self._ready().model

    @property
    def histories(self) -> Sequences:
        """The users' events that it answers from."""
        return self._ready().reader.stored

    @property
    def users(self) -> pl.Series:
        """Ids of the users that it can be asked about."""
        return self._ready().reader.users.ids

    def _ready(self) -> Answerer:
        if self._answerer is None:
            raise RequestError(
                "Recommender", "a trained model", "an untrained one", "call fit() or load() first"
            )
        return self._answerer

    def _task(self, behaviour: str | None, task: str | None) -> str:
        tasks = {name: self.recipe.tasks[name] for name in self.recipe.tasks_that_answer("items")}
        if task is not None:
            if task not in tasks:
                raise RequestError("task", f"one that ranks items: {', '.join(tasks)}", repr(task))
            return task
        # Whichever task asks about any behaviour answers where none is named; else the first.
        by_behaviour = {getattr(config, "behaviour", None): name for name, config in reversed(tasks.items())}
        if behaviour is None and tasks:
            return by_behaviour.get(None, next(iter(tasks)))
        if behaviour not in by_behaviour:
            known = ", ".join(str(name) for name in by_behaviour if name is not None) or "none"
            raise RequestError(
                "behaviour", f"one that a task was trained for: {known}", repr(behaviour), "add a task for it"
            )
        return by_behaviour[behaviour]

    def _banned(
        self, reader: Reader, allow: ListLike[Id] | pl.Series | None, deny: ListLike[Id] | pl.Series | None
    ) -> Tensor:
        banned = np.zeros(len(reader.items), dtype=bool)
        if allow is not None:
            banned[:] = True
            banned[reader.item_places(allow, "allow")] = False
        if deny is not None:
            banned[reader.item_places(deny, "deny")] = True
        return torch.from_numpy(banned)

    def _answer(
        self, answerer: Answerer, asked: Asked, rows: NDArray[np.int64], task: str, k: int, banned: Tensor,
        exclude_seen: bool, at: datetime | None,
    ) -> pl.DataFrame:  # fmt: skip
        windows = asked.windows[rows]
        behaviour = getattr(self.recipe.tasks[task], "behaviour", None)
        codes = slice(None) if behaviour is None else [answerer.reader.behaviours.index(behaviour)]
        popular = torch.from_numpy(answerer.popularity[codes].sum(0).astype(np.float32))
        scores_BI = popular.expand(len(rows), -1).clone()
        some = np.flatnonzero(windows.lengths > 0)
        if len(some):
            states = _states(answerer.model, asked, rows[some], at)[:, answerer.model.place(task)]
            with torch.no_grad():
                scores_BI[torch.from_numpy(some)] = answerer.model.task(task).score_items(states).cpu()
        scores_BI[:, banned] = float("-inf")
        if exclude_seen:
            for row, (start, stop) in enumerate(zip(windows.starts, windows.stops, strict=True)):
                scores_BI[row, torch.from_numpy(asked.sequences.items[start:stop].astype(np.int64))] = float(
                    "-inf"
                )
        best = scores_BI.topk(min(k, scores_BI.shape[1]), dim=1)
        left = (best.values > float("-inf")).numpy()
        owners, ranks = np.nonzero(left)
        return pl.DataFrame(
            {
                asked.column: asked.names.gather(rows[owners]),
                "rank": ranks + 1,
                "item": answerer.reader.items.decode(best.indices.numpy()[left]),
                "score": best.values.numpy()[left],
            }
        )


def _states(model: Model, asked: Asked, rows: NDArray[np.int64], at: datetime | None) -> Tensor:
    windows = asked.windows[rows]
    recent = type(windows)(np.maximum(windows.starts, windows.stops - model.config.max_length), windows.stops)
    times = None if at is None else np.full(len(rows), seconds(at), np.int64)
    return last_states(model, asked.sequences, recent, times, TOKENS)


def _popularity(training: Sequences, num_behaviours: int) -> NDArray[np.int64]:
    cells = training.behaviours.astype(np.int64) * training.num_items + training.items
    counts = np.bincount(cells, minlength=num_behaviours * training.num_items)
    return counts.reshape(num_behaviours, training.num_items)


def _nobody(sequences: Sequences) -> Sequences:
    return Sequences(
        offsets=np.zeros(1, np.int64),
        items=sequences.items[:0],
        behaviours=sequences.behaviours[:0],
        times=None if sequences.times is None else sequences.times[:0],
        num_items=sequences.num_items,
        num_behaviours=sequences.num_behaviours,
    )


def _chunks(num: int, size: int) -> list[NDArray[np.int64]]:
    return [np.arange(start, min(num, start + size)) for start in range(0, max(num, 1), size)]
