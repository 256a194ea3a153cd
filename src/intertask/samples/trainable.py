"""Rows, made ready to be trained on: what was found in them, a model that fits them, and who examines it."""

from collections.abc import Mapping

from torch import nn

from intertask.evaluate.config import EvaluationConfig
from intertask.model import ModelConfig
from intertask.samples.corpus import RowCorpus
from intertask.samples.examiner import RowExaminer
from intertask.samples.facts import Facts, build, row_task
from intertask.samples.feed import RowFeed
from intertask.samples.splits import Split
from intertask.samples.told import refuse_labels_among_inputs
from intertask.train.config import TrainConfig


class TrainableRows:
    """One stream of rows, ready to be trained.

    Args:
        config: Of the model.
        corpus: All rows.
        split: What of them trains; it has been checked for leakage.
        train: Options of training.
        evaluation: Options of evaluation.
        seed: Of the weights.
        stream: Its name, where it stands beside the recipe's own.
        shared: Parts of its model that are another stream's.

    Raises:
        RecipeError: The model does not fit the rows.
        DataError: Nothing can be learned from them.
        LeakageError: An input is a label under another name.
    """

    def __init__(
        self,
        config: ModelConfig,
        corpus: RowCorpus,
        split: Split,
        train: TrainConfig,
        evaluation: EvaluationConfig,
        seed: int,
        stream: str = "",
        shared: Mapping[str, nn.Module] | None = None,
    ) -> None:
        del evaluation
        self.config, self.corpus, self.split = config, corpus, split
        training, validation = (corpus.rows.take(places) for places in (split.train, split.validation))
        self.facts = Facts.fit(config, training)
        refuse_labels_among_inputs(config, training)
        for reader in self.facts.readers.values():  # what nobody reads before it tests
            reader.refuse(corpus.rows.take(split.test))
        self.model = build(config, self.facts, seed, stream, shared)
        for name, own in config.named_inputs.items():
            own.prepare(self.model.part(name))
        self.feed = RowFeed(config, self.facts, training)
        self.constant = {
            name: row_task(task).scale(self.facts.answers[name]) for name, task in config.tasks.items()
        }
        self.num_labels = self.feed.num_labels
        self.examiner = RowExaminer(
            config, self.facts, validation, train.validation_targets, corpus.digest(), split.description
        )
