"""How a trained model does on the events of its log that it was not trained on."""

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import scipy.sparse
from numpy.typing import NDArray

from intertask.data.catalogue import Catalogue
from intertask.data.corpus import Corpus
from intertask.data.event_log import EventLog
from intertask.data.prepare import open_corpus, prepare
from intertask.errors import DataError, LeakageError, RequestError
from intertask.evaluate.choosing import thin_choice, uncalibrated
from intertask.evaluate.results import Evaluation, Finding
from intertask.evaluate.validation import default_monitor
from intertask.events import beside
from intertask.events.evaluation import Evaluator
from intertask.events.splits import Split
from intertask.events.validation import Validator
from intertask.model import Model
from intertask.options import arguments
from intertask.ranking import Ranker
from intertask.recipe import Recipe

Part = Literal["validation", "test"]
PARTS = ("validation", "test")


def assess(
    model: Model,
    recipe: Recipe,
    corpus: Corpus,
    catalogue: Catalogue | None,
    part: Part,
    trained: NDArray[np.int64] | None,
    ranker: Ranker | None = None,
) -> Evaluation:
    """Evaluate a model as its recipe says; what happened to each target is in `targets` of the result.

    Args:
        model: In evaluation mode.
        recipe: Its split and the options of evaluation.
        corpus: The whole log.
        catalogue: Its tags say how unlike two items are.
        part: "validation" while you choose, "test" once.
        trained: int64 [behaviours, items], the events that the model says it was trained on; None where it
            has just been trained on this corpus.
        ranker: What mixes its scores with those of other sources; None where it ranks alone.

    Raises:
        LeakageError: The model was trained on something else than the training part.
        RequestError: There is no such part.
    """
    if part not in PARTS:
        raise RequestError("part", " or ".join(map(repr, PARTS)), repr(part))
    corpus = beside.known(corpus, beside.readers_of(model))
    split = recipe.split_events(corpus.sequences)
    evaluator = Evaluator(
        recipe.name,
        model,
        corpus,
        split,
        recipe.evaluation,
        recipe.seed,
        item_tags(catalogue, corpus),
        part,
        trained,
        _choice(recipe, corpus, split),
        ranker,
    )
    return evaluator.run()


def _choice(recipe: Recipe, corpus: Corpus, split: Split) -> list[Finding]:
    """Whether the epoch was chosen by few targets, and which tasks had none to be calibrated by."""
    validator = Validator(
        corpus.sequences,
        split,
        corpus.behaviours,
        recipe.evaluation.history[0],
        recipe.train.validation_targets,
    )
    bases = validator.bases(recipe)
    found = (
        thin_choice(recipe.train.monitor or default_monitor(recipe), bases),
        uncalibrated(
            [name for name, own in recipe.tasks.items() if own.answer.probable and not own.answer.ranks],
            bases,
        ),
    )
    return [own for own in found if own is not None]


def corpus_of(
    events: EventLog | Corpus | None,
    run: str | Path | None,
    items: pl.Series,
    behaviours: tuple[str, ...],
    catalogue: Catalogue | None = None,
) -> Corpus:
    """The log that a loaded model is evaluated on, from the folder of its run or handed over.

    Args:
        events: The log.
        run: The folder.
        items: Ids that the model knows, in its order.
        behaviours: Names that the model knows, in its order.
        catalogue: Whose items belong to the vocabulary; None where those of the log are all.

    Raises:
        RequestError: There is neither or both, or the log has other items or behaviours.
        DataError: The folder holds no prepared log.
    """
    if (events is None) == (run is None):
        found = "neither" if events is None else "both"
        raise RequestError(
            "evaluate",
            "the log that the model was trained on, as events or as run=FOLDER",
            found,
            "a model that was loaded has no log of its own" if events is None else "leave one out",
        )
    if run is not None:
        folder = arguments.path(run, "run")
        if not (folder / "corpus").is_dir():
            raise DataError(
                str(folder), "the folder of a trained run", "none", "train one with `intertask train`"
            )
        corpus = open_corpus(folder / "corpus")
    elif isinstance(events, EventLog | Corpus):
        corpus = prepare(events) if isinstance(events, EventLog) else events
        if catalogue is not None:
            corpus = corpus.described_by(catalogue)
    else:
        raise RequestError(
            "evaluate", "an EventLog", type(events).__name__, "read it with EventLog.read(...)"
        )
    for what, own, theirs in (
        ("items", items, corpus.items.ids),
        ("behaviours", pl.Series(behaviours), pl.Series(corpus.behaviours)),
    ):
        if not own.equals(theirs):
            raise RequestError(
                "evaluate",
                f"the {len(own):,} {what} that the model was trained on",
                f"{len(theirs):,}, not all of them the same",
                "hand over the log of its training",
            )
    return corpus


def item_tags(catalogue: Catalogue | None, corpus: Corpus) -> scipy.sparse.csr_matrix | None:
    """Tags of the items as columns of ones, [items, tags]; None where the catalogue has none."""
    if catalogue is None or not catalogue.tags:
        return None
    tags = catalogue.tags_of(corpus.items.ids)
    exploded = tags.to_frame("tag").with_row_index("item").explode("tag").drop_nulls()
    if exploded.is_empty():
        return None
    codes = exploded["tag"].rank("dense").to_numpy() - 1
    ones = np.ones(len(codes), np.float32)
    return scipy.sparse.csr_matrix(
        (ones, (exploded["item"].to_numpy(), codes)), shape=(len(tags), codes.max() + 1)
    )


def refuse_refitted(refitted: bool) -> None:
    """Refuse a model that has seen what it would be measured on.

    Raises:
        LeakageError: It was trained once more on all events.
    """
    if refitted:
        raise LeakageError(
            "evaluate",
            "a model that has not seen what is asked for",
            "one that was trained once more on all events, to serve",
            "evaluate the one in the folder `evaluated` of its run",
        )
