"""A log, made ready to be trained on: what trains, a model that fits it, and who examines that."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from intertask.data.corpus import Corpus
from intertask.data.sequences import Sequences
from intertask.data.windows import Windows, cut_out
from intertask.evaluate.config import EvaluationConfig
from intertask.events import beside
from intertask.events.beginning import begin_with_labels
from intertask.events.examiner import EventExaminer
from intertask.events.feed import EventFeed
from intertask.events.splits import Split
from intertask.events.validation import Validator
from intertask.inputs import Reader
from intertask.model import Model, ModelConfig, funnel
from intertask.model.sizes import refuse_huge_batch, refuse_huge_model
from intertask.nn.dimensions import Dimensions
from intertask.options.seeds import derive
from intertask.train.config import TrainConfig
from intertask.train.stream import BATCH_TOKENS


class TrainableLog:
    """One stream of events, ready to be trained.

    Args:
        config: Of the model.
        corpus: All events.
        split: What of them trains; it has been checked for leakage.
        train: Options of training.
        evaluation: Options of evaluation.
        seed: Of the weights.
        stream: Its name, where it stands beside the recipe's own.
        shared: Parts of its model that are another stream's.
        kept: Readers of users of a model that the training starts from.

    Raises:
        RecipeError: The model does not fit the log.
        TrainingError: There is nothing to train on.
    """

    def __init__(
        self,
        config: ModelConfig,
        corpus: Corpus,
        split: Split,
        train: TrainConfig,
        evaluation: EvaluationConfig,
        seed: int,
        stream: str = "",
        shared: Mapping[str, nn.Module] | None = None,
        kept: Mapping[str, Reader] | None = None,
    ) -> None:
        self.config, self.split = config, split
        training = split.training(corpus.sequences)
        counts = np.bincount(training.items, minlength=len(corpus.items))
        longest, tokens = int(training.lengths.max(initial=0)), train.batch_tokens or BATCH_TOKENS
        refuse_huge_batch(config, min(tokens, training.num_events), longest)
        # An unknown behaviour ends here, a task without labels in its constant loss; nothing is written yet.
        described = described_items(config, corpus, counts)
        readers = beside.fitted(config, corpus, split, kept)
        self.corpus = corpus = beside.known(corpus, readers)
        self.model = build(config, corpus, seed, counts, stream, shared, described, readers)
        if self.model.items is not None:
            config.items.prepare(self.model.items)
        targets = _following(training)
        self.constant = {
            task: own.constant_loss(targets, corpus.behaviours) for task, own in config.tasks.items()
        }
        funnel.refuse_contradictions(config.tasks, targets, corpus.behaviours)
        begin_with_labels(config.tasks, self.model.tasks, training, corpus.behaviours)
        places = np.arange(targets.num_events)
        self.num_labels = {
            task: len(own.asked(targets, places, corpus.behaviours)) for task, own in config.tasks.items()
        }
        validator = Validator(
            corpus.sequences,
            split,
            corpus.behaviours,
            evaluation.history[0],
            train.validation_targets,
        )
        self.examiner = EventExaminer(config, validator, split, train.validation_targets)
        self.feed = EventFeed(beside.partly_known(corpus, readers), split, config.max_length, train.windows)


def _following(training: Sequences) -> Sequences:
    """The training events that are asked for: all but the first of each user, which follows nothing."""
    starts, stops = training.offsets[:-1], training.offsets[1:]
    return cut_out(training, Windows(np.minimum(starts + 1, stops), stops))


def described_items(config: ModelConfig, corpus: Corpus, counts: NDArray[np.int64]) -> object | None:
    """What the catalogue says of the items of a log, where a model reads it; by training items alone."""
    if corpus.catalogue is None or not config.items.reads_catalogue:
        return None
    return config.items.describe(corpus.catalogue, corpus.items.ids, counts)


def build(
    config: ModelConfig,
    corpus: Corpus,
    seed: int,
    item_counts: NDArray[np.int64] | None = None,
    stream: str = "",
    shared: Mapping[str, nn.Module] | None = None,
    described: object | None = None,
    readers: Mapping[str, Reader] | None = None,
) -> Model:
    """An untrained model for a log, its weights drawn from the seed and the stream's name."""
    dimensions = Dimensions(
        width=config.width,
        max_length=config.max_length,
        num_items=len(corpus.items),
        behaviours=corpus.behaviours,
        tasks=tuple(config.tasks),
        has_times=corpus.sequences.times is not None,
        item_counts=item_counts,
        fields=readers or {},
        described=described,
    )
    refuse_huge_model(config, dimensions)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "weights", *([stream] if stream else [])))
        return Model(config, dimensions, shared)
