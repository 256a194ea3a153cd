"""One recipe on one log: from the prepared corpus to a trained model and its evaluation.

A run's folder holds recipe.json, journal.jsonl and checkpoints/ while it trains; evaluation.json
and targets.parquet once it has been evaluated.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from intertask import funnel
from intertask.balance import Balance
from intertask.data.corpus import Corpus
from intertask.data.sequences import Sequences
from intertask.data.splits import Split
from intertask.data.windows import Windows, cut_out
from intertask.errors import RecipeError, WriteError
from intertask.evaluate.choosing import ALL, thin_choice
from intertask.evaluate.validation import Validator, default_monitor, over_tasks
from intertask.events.feed import EventFeed
from intertask.files import written_aside
from intertask.journal import GOES_ON
from intertask.model import Model, ModelConfig
from intertask.nn.dimensions import Dimensions
from intertask.progress import remark
from intertask.recipe import MAIN, Recipe
from intertask.run_folder import FITTED, working_on
from intertask.seeds import derive
from intertask.sizes import refuse_huge_batch, refuse_huge_model
from intertask.train import checkpoint
from intertask.train.loop import Trained, Trainer
from intertask.train.stream import BATCH_TOKENS, Stream


@dataclass(frozen=True)
class Fitted:
    """A trained model with the data that it was trained on.

    Args:
        corpus: All events.
        split: What of them was trained on.
        model: With the best weights.
        trained: How training ended.
    """

    corpus: Corpus
    split: Split
    model: Model
    trained: Trained


def fit(recipe: Recipe, corpus: Corpus, folder: Path) -> Fitted:
    """Train, or go on training, in a run's folder; a recipe of one stream.

    Raises:
        RecipeError: The recipe does not fit the data, or has several streams.
        TrainingError: A loss is not finite.
        IntertaskError: Another process works in the folder, or something stands there that is no run's.
    """
    if recipe.streams:
        raise RecipeError(
            "[streams]",
            "a recipe of one log",
            f"{', '.join(recipe.streams)} beside it",
            "train it with `intertask train`, or intertask.run.train",
        )
    with working_on(folder, "train", FITTED):
        return fit_streams(recipe, {MAIN: corpus}, folder)[MAIN]


def fit_streams(recipe: Recipe, corpora: Mapping[str, Corpus], folder: Path) -> dict[str, Fitted]:
    """Train all streams of a recipe together, or go on training, in a run's folder.

    Args:
        recipe: With as many streams as there are corpora.
        corpora: The data of each stream, by its name.
        folder: Of the run; the caller has it for itself.

    Raises:
        RecipeError: The recipe does not fit the data.
        TrainingError: A loss is not finite.
    """
    parts, balance, monitor = _assembled(recipe, corpora)
    told = _told(parts.values(), monitor)
    device = _device(recipe.train.device)
    run = _digest(recipe, corpora)
    checkpoint.refuse_other_run(folder / "checkpoints", run)
    with written_aside(folder / "recipe.json") as aside:
        aside.write_text(recipe.to_json(), encoding="utf-8")
    streams = [
        Stream.of(
            part.model.to(device),
            part.feed,
            recipe.train,
            name if recipe.streams else "",
            recipe.streams[name].weight if name in recipe.streams else 1.0,
        )
        for name, part in parts.items()
    ]
    owners = {task: part for part in parts.values() for task in part.recipe.tasks}

    def validate() -> dict[str, float]:
        metrics = {name: value for part in parts.values() for name, value in part.validate().items()}
        if recipe.streams:
            metrics[ALL] = over_tasks(
                metrics, {task: part.recipe.tasks[task] for task, part in owners.items()}
            )
        return metrics

    trainer = Trainer(
        streams,
        balance.to(device),
        validate,
        lambda model, task: owners[task].validator.calibration(model, task),
        monitor,
        recipe.train,
        recipe.seed,
        run,
        folder,
    )
    for words in told:
        remark(words)
    try:
        trained = trainer.run()
    except WriteError as error:  # by then something has been written
        raise WriteError(error.where, error.expected, error.found, GOES_ON) from error
    trained = replace(trained, advice=(*trained.advice, *told))
    for part in parts.values():
        part.validator.calibrate(part.model)
    return {name: Fitted(part.corpus, part.split, part.model, trained) for name, part in parts.items()}


class Part:
    """One stream of a recipe, ready to be trained.

    Args:
        name: Of the stream.
        recipe: As if it stood alone.
        corpus: Its data.
        shared: Parts of its model that are another stream's.

    Raises:
        RecipeError: The recipe does not fit the data.
    """

    def __init__(self, name: str, recipe: Recipe, corpus: Corpus, shared: Mapping[str, nn.Module]) -> None:
        self.recipe, self.corpus = recipe, corpus
        self.split = recipe.split.split(corpus.sequences)
        training = self.split.training(corpus.sequences)
        counts = np.bincount(training.items, minlength=len(corpus.items))
        longest, tokens = int(training.lengths.max(initial=0)), recipe.train.batch_tokens or BATCH_TOKENS
        refuse_huge_batch(recipe, min(tokens, training.num_events), longest)
        # An unknown behaviour ends here, a task without labels in its constant loss; nothing is written yet.
        self.model = build(recipe, corpus, recipe.seed, counts, name, shared)
        targets = _following(training)
        self.constant = {
            task: config.constant_loss(targets, corpus.behaviours) for task, config in recipe.tasks.items()
        }
        funnel.refuse_contradictions(recipe.tasks, targets, corpus.behaviours)
        places = np.arange(targets.num_events)
        labels = {
            task: len(recipe.tasks[task].asked(targets, places, corpus.behaviours))
            for task in recipe.attached()
        }
        self.label_shares = {task: count / max(labels.values()) for task, count in labels.items()}
        self.validator = Validator(
            corpus.sequences,
            self.split,
            corpus.behaviours,
            recipe.evaluation.history[0],
            recipe.train.validation_targets,
        )
        self.feed = EventFeed(corpus.sequences, self.split, recipe.max_length, recipe.train.windows)

    def metrics(self, whole: Recipe) -> list[str]:
        """Names of the validation metrics; of several streams, the one over the tasks is of all of them."""
        names = self.validator.names(self.recipe)
        return [*names, ALL] if whole.streams and names else names

    def validate(self) -> dict[str, float]:
        """The validation metrics."""
        return self.validator(self.model)


def _following(training: Sequences) -> Sequences:
    """The training events that are asked for: all but the first of each user, which follows nothing."""
    starts, stops = training.offsets[:-1], training.offsets[1:]
    return cut_out(training, Windows(np.minimum(starts + 1, stops), stops))


def _shared(recipe: Recipe, stream: str) -> tuple[str, ...]:
    return recipe.streams[stream].share if stream in recipe.streams else ()


def build(
    config: ModelConfig,
    corpus: Corpus,
    seed: int,
    item_counts: NDArray[np.int64] | None = None,
    stream: str = MAIN,
    shared: Mapping[str, nn.Module] | None = None,
) -> Model:
    """An untrained model for a corpus, its weights drawn from the seed and the stream's name."""
    dimensions = Dimensions(
        width=config.width,
        max_length=config.max_length,
        num_items=len(corpus.items),
        behaviours=corpus.behaviours,
        tasks=tuple(config.tasks),
        has_times=corpus.sequences.times is not None,
        item_counts=item_counts,
    )
    refuse_huge_model(config, dimensions)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "weights", *([] if stream == MAIN else [stream])))
        return Model(config, dimensions, shared)


def refuse_unfit(recipe: Recipe, corpora: Mapping[str, Corpus]) -> tuple[str, ...]:
    """What `fit_streams` would refuse before it trains, without training.

    Returns:
        What it would train all the same, and say something about.

    Raises:
        RecipeError: The recipe does not fit the data.
    """
    parts, _, monitor = _assembled(recipe, corpora)
    return _told(parts.values(), monitor)


def _told(parts: Iterable["Part"], monitor: str) -> tuple[str, ...]:
    """What to know before a training begins."""
    bases = {task: basis for part in parts for task, basis in part.validator.bases(part.recipe).items()}
    found = thin_choice(monitor, bases)
    return () if found is None else (f"{found.text} {found.advice}",)


def _assembled(recipe: Recipe, corpora: Mapping[str, Corpus]) -> tuple[dict[str, "Part"], Balance, str]:
    """The parts of a recipe by stream, their balance, and the metric that chooses the epoch.

    Raises:
        RecipeError: The recipe does not fit the data.
    """
    _device(recipe.train.device)
    parts: dict[str, Part] = {}
    for name, view in recipe.views().items():
        shared = {part: getattr(parts[MAIN].model, part) for part in _shared(recipe, name)}
        parts[name] = Part(name, view, corpora[name], shared)
    together = {task: part for part in parts.values() for task in part.recipe.attached()}
    balance = recipe.balance.build(
        {
            task: part.recipe.tasks[task].weight * part.label_shares[task] ** recipe.balance.labels
            for task, part in together.items()
        },
        {task: part.constant[task] for task, part in together.items()},
    )
    return parts, balance, _monitor(recipe, parts.values())


def _monitor(recipe: Recipe, parts: Iterable["Part"]) -> str:
    """The metric that chooses the epoch.

    Raises:
        RecipeError: No validation target defines it.
    """
    monitor = recipe.train.monitor or (ALL if recipe.streams else default_monitor(recipe))
    metrics = [name for part in parts for name in part.metrics(recipe)]
    if monitor in metrics:
        return monitor
    task = monitor.partition("/")[0]
    if task in recipe.tasks and not any(name.startswith(f"{task}/") for name in metrics):
        hidden = recipe.tasks[task].answer.ranks and recipe.evaluation.history[0] == "masked"
        kept = 'set [evaluation] history = ["kept"], where targets may stand in their history; '
        raise RecipeError(
            f"[tasks.{task}]",
            "a validation target, to choose the epoch by",
            "none",
            (kept if hidden else "")
            + "name a metric of another task as [train] monitor, split otherwise, or leave the task out",
        )
    raise RecipeError(
        "[train] monitor",
        f"one of {', '.join(metrics) or 'no metric at all'}",
        repr(monitor),
        "name a metric of a task that has validation targets",
    )


def _digest(recipe: Recipe, corpora: Mapping[str, Corpus]) -> str:
    text = json.dumps(recipe.shaping(), sort_keys=True)
    text += "".join(corpus.sequences.digest() for corpus in corpora.values())
    return hashlib.sha256(text.encode()).hexdigest()


def _device(name: str) -> torch.device:
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if present["cuda"] else "cpu")
    if not present[name]:
        found = ", ".join(kind for kind, here in present.items() if here)
        raise RecipeError("[train] device", f"one that is here: auto, {found}", repr(name), "use auto")
    return torch.device(name)
