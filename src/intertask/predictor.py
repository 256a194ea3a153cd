"""A trained model that answers rows of a table. The second door of the library; it opens on `Predictor`.

Frames in, frames out. Everything that a request needs is in the model: what its columns hold, its classes,
its weights, the recipe; no row of the training is in it, and none is needed again.
"""

import tempfile
from pathlib import Path
from typing import Literal

import polars as pl
import torch

from intertask import artefact
from intertask.answering.door import Door
from intertask.answering.predictor_folder import RowsArtefact
from intertask.data.columns import MISSING
from intertask.data.rows import Rows
from intertask.errors import ArtefactError, DataError, RequestError
from intertask.evaluate.choosing import thin_choice, uncalibrated
from intertask.evaluate.results import Evaluation
from intertask.evaluate.validation import default_monitor
from intertask.fitting.experiment import fit_rows
from intertask.fitting.fitted import FittedRows
from intertask.model import Model
from intertask.options import arguments
from intertask.recipe import Recipe
from intertask.recipe.data_section import of_rows, refuse_mixed
from intertask.samples import requests
from intertask.samples.answering import answers
from intertask.samples.corpus import RowCorpus
from intertask.samples.evaluation import RowEvaluator
from intertask.samples.examiner import RowExaminer
from intertask.samples.facts import Facts, build, row_task
from intertask.tasks.category import Classes
from intertask.train.checkpoint import set_weights, weights

PARTS = ("validation", "test")
SHOWN = 8  # classes in a notebook


class Predictor(Door):
    """Trains on rows of a table, predicts, saves and loads.

    Example:
        >>> import intertask as it
        >>> rows = [{"x": float(n), "y": "high" if n >= 20 else "low"} for n in range(40)]
        >>> recipe = it.Recipe(width=8, tasks={"y": "category"}, train={"epochs": 1})
        >>> model = it.Predictor(recipe).fit(rows)
        >>> model.predict([{"x": 3.0}]).columns
        ['y', 'y_probability', 'y=high', 'y=low']
    """

    def __init__(self, recipe: Recipe) -> None:
        if not isinstance(recipe, Recipe):
            hint = "Predictor.from_recipe(...) reads a file"
            raise RequestError("Predictor", "a Recipe", arguments.shown(recipe), hint)
        if not of_rows(recipe):
            raise RequestError(
                "Predictor", "a recipe of rows of a table", "one of a log", "use Recommender(recipe)"
            )
        refuse_mixed(recipe)
        super().__init__(recipe)
        self.fitted: FittedRows | None = None
        self._model: Model | None = None

    def fit(self, rows: object, run: str | Path | None = None) -> "Predictor":
        """Train on rows.

        Args:
            rows: `Rows`, as `Rows.read` gives them; or a table, a file, or a list of rows as {column: value},
                whose labels are those of the tasks and whose other columns are the inputs.
            run: A folder for the journal and the checkpoints. A run that was stopped there goes on. Without
                it both are gone when training ends.

        Raises:
            DataError: The rows cannot be trained on.
            LeakageError: An input is a label under another name.
            RecipeError: The recipe does not fit the rows.
            TrainingError: A loss is not finite.
        """
        place = Path() if run is None else arguments.path(run, "run")
        corpus = RowCorpus(self._rows(rows, "fit"))
        if run is None:
            with tempfile.TemporaryDirectory() as folder:
                fitted = fit_rows(self.recipe, corpus, Path(folder))
        else:
            fitted = fit_rows(self.recipe, corpus, place)
        self._take(fitted)
        return self

    def _rows(self, rows: object, where: str) -> Rows:
        """The rows that somebody hands over with their labels."""
        if isinstance(rows, Rows):
            return rows
        labels = {task: row_task(own).label or task for task, own in self.recipe.tasks.items()}
        several = [labels[task] for task, own in self.recipe.tasks.items() if getattr(own, "several", False)]
        source = requests.as_source(rows, where)
        return Rows.read(source, labels=list(dict.fromkeys(labels.values())), several=several)

    @classmethod
    def trained(cls, recipe: Recipe, fitted: FittedRows) -> "Predictor":
        """A predictor of what has been trained, as one of several streams."""
        self = cls(recipe)
        self._take(fitted)
        return self

    def _take(self, fitted: FittedRows) -> None:
        self.fitted, self._model = fitted, fitted.model.eval()

    def predict(
        self, rows: object, *, task: str | None = None, at_least: float | None = None
    ) -> pl.DataFrame:
        """The answers to rows, in their order.

        Args:
            rows: A table of Polars, pandas or Arrow, a file, a dict of columns, or one row or a list of them
                as {column: value}. What is not there is read as missing; a word that training has not seen
                as unknown. Of a model of series also a long table, each row of which is answered that has a
                whole window; columns before the answer then say which.
            task: Answer this task alone; all if left out.
            at_least: Abstain where no class is as probable as this; if left out the task's `at_least`
                decides, and without it there is always an answer.

        Returns:
            For each task with classes the columns NAME (the likeliest class; null where the model abstains),
            NAME_probability, NAME=CLASS for the probability of each class, and NAME_abstained where it may
            abstain; of several labels the list of those given. For a number the column NAME.

        Raises:
            RequestError: A row or an argument that cannot be.
        """
        model, facts = self._ready(), self.facts
        if at_least is not None:
            at_least = _share(at_least)
        names = list(self.recipe.tasks)
        if task is not None:
            expected = f"a task: {', '.join(names)}"
            names = [arguments.word(task, "task", expected)]
            if names[0] not in self.recipe.tasks:
                raise RequestError("task", expected, arguments.shown(task))
        asked, keys = self._asked(rows)
        told = answers(model, facts.read(asked), names)
        frames = []
        for name in names:
            own, known = row_task(self.recipe.tasks[name]), facts.answers[name]
            least = getattr(own, "at_least", None) if at_least is None else at_least
            classes = known.spelt if isinstance(known, Classes) else ()
            frame = own.known_answer(known).frame(name, told[name], classes, least)
            if least is not None and f"{name}_probability" in frame.columns:
                frame = frame.with_columns(pl.col(name).is_null().alias(f"{name}_abstained"))
            frames.append(frame)
        # A task may be called as the group is.
        keys = keys.drop([name for frame in frames for name in frame.columns], strict=False)
        return pl.concat([*([keys] if keys.width else []), *frames], how="horizontal")

    def _asked(self, rows: object) -> tuple[Rows, pl.DataFrame]:
        """The rows to answer; and of windows of a long table which they are, in further columns."""
        series = self.recipe.data.series
        found = None if series is None else requests.windows(rows, series)
        if found is not None:
            return found
        return requests.read(rows, self.facts.columns, self._missing), pl.DataFrame()

    @property
    def _missing(self) -> tuple[str, ...]:
        """Words for a missing value, as the recipe's own rows have them."""
        rows = self.recipe.data.rows
        return MISSING if rows is None else rows.missing

    def evaluate(
        self,
        rows: object = None,
        *,
        run: str | Path | None = None,
        part: Literal["validation", "test"] = "test",
    ) -> Evaluation:
        """Measure the model and every reference of the recipe on held-back rows.

        Args:
            rows: The rows of the training, as for `fit`; those of `fit` if left out. A model that was loaded
                needs them, or `run`.
            run: The folder of the run that trained the model, instead of rows.
            part: "validation" while you choose, "test" once.

        Raises:
            RequestError: No rows are known.
            LeakageError: The model was fitted on other rows than those of the training part.
        """
        model = self._ready()
        if part not in PARTS:
            raise RequestError("part", " or ".join(map(repr, PARTS)), repr(part))
        trained = rows is None and run is None and self.fitted is not None
        if trained:
            assert self.fitted is not None
            corpus = self.fitted.corpus
        else:
            corpus = self._corpus(rows, run)
        split = self.recipe.split_rows(corpus.rows)
        validation = corpus.rows.take(split.validation)
        examiner = RowExaminer(self.recipe, self.facts, validation, self.recipe.train.validation_targets)
        bases, tasks = examiner.bases(), self.recipe.tasks.items()
        thin = thin_choice(self.recipe.train.monitor or default_monitor(self.recipe), bases)
        unchecked = uncalibrated([name for name, own in tasks if own.answer.probable], bases)
        return RowEvaluator(
            self.recipe.name,
            model,
            self.facts,
            corpus,
            split,
            self.recipe.evaluation,
            self.recipe.seed,
            part,
            not trained,
            [found for found in (thin, unchecked) if found is not None],
            notice=self.notice,
        ).run()

    def _corpus(self, rows: object, run: str | Path | None) -> RowCorpus:
        if (rows is None) == (run is None):
            raise RequestError(
                "evaluate",
                "the rows that the model was trained on, as rows or as run=FOLDER",
                "neither" if rows is None else "both",
                "a model that was loaded holds no rows" if rows is None else "leave one out",
            )
        if run is None:
            return RowCorpus(self._rows(rows, "evaluate"))
        folder = arguments.path(run, "run")
        if not (folder / "corpus").is_dir():
            raise DataError(
                str(folder), "the folder of a trained run", "none", "train one with `intertask train`"
            )
        return RowCorpus.open(folder / "corpus")

    def save(self, folder: str | Path) -> None:
        """Write a model folder, all or nothing. No row of the training is in it.

        Raises:
            ArtefactError: Something else stands in that place.
        """
        model, place = self._ready(), arguments.path(folder, "save")
        held = RowsArtefact(self.recipe, artefact.as_arrays(weights(model)), self.facts)
        artefact.save(held, place)

    @classmethod
    def load(cls, folder: str | Path) -> "Predictor":
        """The predictor that `save` wrote; it answers as before, to the bit.

        Args:
            folder: The folder of the model, or of the run that trained it.

        Raises:
            ArtefactError: Names the first file that is not as it was written.
        """
        folder = arguments.path(folder, "load")
        folder = artefact.find(folder) or folder
        if (folder / "histories.safetensors").exists():
            raise ArtefactError(
                str(folder), "a model of rows of a table", "one of a log", "intertask.load(...) opens it"
            )
        stored = artefact.load(folder, RowsArtefact)
        self = cls(stored.recipe)
        model = build(stored.recipe, stored.facts, stored.recipe.seed)
        set_weights(model, {name: torch.from_numpy(array) for name, array in stored.weights.items()})
        self._model = model.eval()
        return self

    @property
    def model(self) -> Model:
        """The neural network."""
        return self._ready()

    @property
    def facts(self) -> Facts:
        """What the training rows have said: the columns' words and scales, and each task's classes."""
        return Facts.of_model(self._ready())

    @property
    def notice(self) -> str:
        """What is to be said with every answer, as of data about people's health; empty where nothing is."""
        return self.recipe.data.notice

    def column_of(self, kind: str) -> str:
        """The column that its input of a kind reads, as "image".

        Raises:
            RequestError: It has no such input, or several.
        """
        inputs, readers = self.recipe.named_inputs, self.facts.readers
        found = [
            own for name, config in inputs.items() if config.kind == kind for own in readers[name].columns
        ]
        if len(found) == 1:
            return found[0]
        known = ", ".join(config.kind for config in inputs.values())
        raise RequestError(f"the input {kind}", "a model with one such input", known, "name columns by row")

    @property
    def classes(self) -> dict[str, list[str] | list[int]]:
        """The classes of each task that has some, in the order of their probabilities."""
        known = self.facts.answers.items()
        return {name: facts.spelt for name, facts in known if isinstance(facts, Classes)}

    def _ready(self) -> Model:
        if self._model is None:
            raise RequestError(
                "Predictor", "a trained model", "none", "call fit(rows) or Predictor.load(folder) first"
            )
        return self._model

    def _facts(self) -> list[tuple[str, str]] | None:
        if self._model is None:
            return None
        classes = [(name, ", ".join(map(str, own[:SHOWN]))) for name, own in self.classes.items()]
        return [("columns", f"{len(self.facts.columns):,}"), *classes]


def _share(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise RequestError("at_least", "a probability, 0 to 1", arguments.shown(value))
