"""A stream of a recipe, made ready for training by the wing of its data: the place that knows all wings."""

from collections.abc import Mapping
from typing import Protocol

from torch import nn

from intertask.data.corpus import Corpus as EventCorpus
from intertask.data.seam import Corpus, Feed, Split
from intertask.evaluate.examiner import Examiner
from intertask.events.mixing import refuse_without_events
from intertask.events.splits import everything
from intertask.events.trainable import TrainableLog
from intertask.inputs import Reader
from intertask.model import Model, ModelConfig
from intertask.recipe import MAIN, Recipe
from intertask.samples.corpus import RowCorpus
from intertask.samples.trainable import TrainableRows


class Trainable(Protocol):
    """One stream of a recipe, ready to be trained, as the wing of its data makes it."""

    @property
    def config(self) -> ModelConfig:
        """Of the model."""
        ...

    @property
    def corpus(self) -> Corpus:
        """Its data."""
        ...

    @property
    def split(self) -> Split:
        """What trains and what is held back."""
        ...

    @property
    def model(self) -> Model:
        """Untrained, with the parts that it shares with other streams."""
        ...

    @property
    def feed(self) -> Feed:
        """What it trains on."""
        ...

    @property
    def examiner(self) -> Examiner:
        """Asks the model for the validation targets."""
        ...

    @property
    def constant(self) -> Mapping[str, float]:
        """The loss of each task by the best answer that ignores the inputs."""
        ...

    @property
    def num_labels(self) -> Mapping[str, int]:
        """How many training targets each task has."""
        ...


def trainable(
    name: str,
    recipe: Recipe,
    corpus: Corpus,
    shared: Mapping[str, nn.Module] | None = None,
    *,
    whole: bool = False,
    kept: Mapping[str, Reader] | None = None,
) -> Trainable:
    """A stream of a recipe, made ready by the wing of its data.

    Args:
        name: Of the stream.
        recipe: As if it stood alone.
        corpus: Its data.
        shared: Parts of its model that are another stream's.
        whole: Train on all events of a log, and hold none back.
        kept: Readers of users of a model that the training of a log starts from.

    Raises:
        RecipeError: The recipe does not fit the data.
    """
    stream = "" if name == MAIN else name
    if isinstance(corpus, EventCorpus):
        split = everything(corpus.sequences) if whole else recipe.split_events(corpus.sequences)
        if not whole:
            refuse_without_events(recipe.ranker, recipe.tasks, corpus, split, recipe.evaluation.history)
        return TrainableLog(
            recipe, corpus, split, recipe.train, recipe.evaluation, recipe.seed, stream, shared, kept
        )
    if isinstance(corpus, RowCorpus):
        return TrainableRows(
            recipe,
            corpus,
            recipe.split_rows(corpus.rows),
            recipe.train,
            recipe.evaluation,
            recipe.seed,
            stream,
            shared,
        )
    raise TypeError(f"no wing trains on a {type(corpus).__name__}")
