"""One recipe on one log: from the prepared corpus to a trained model and its evaluation.

A run's folder holds recipe.json, journal.jsonl and checkpoints/ while it trains; evaluation.json,
ranks.parquet and answers.parquet once it has been evaluated.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from intertask.data.corpus import Corpus
from intertask.data.splits import Split
from intertask.errors import RecipeError
from intertask.evaluate.validation import Validator, default_monitor
from intertask.files import written_aside
from intertask.model import Model, ModelConfig
from intertask.nn.dimensions import Dimensions
from intertask.recipe import Recipe
from intertask.seeds import derive
from intertask.train import checkpoint
from intertask.train.loop import Trained, Trainer


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
    """Train, or go on training, in a run's folder.

    Raises:
        RecipeError: The recipe does not fit the data.
        TrainingError: A loss is not finite.
    """
    split = recipe.split.split(corpus.sequences)
    training = split.training(corpus.sequences)
    # An unknown behaviour ends here, a task without labels in its constant loss; nothing is written yet.
    model = build(recipe, corpus, recipe.seed, np.bincount(training.items, minlength=len(corpus.items)))
    constant = {name: task.constant_loss(training, corpus.behaviours) for name, task in recipe.tasks.items()}
    weights = {name: task.weight for name, task in recipe.tasks.items()}
    balance = recipe.balance.build(weights, constant)
    validator = Validator(
        corpus.sequences, split, corpus.behaviours, recipe.evaluation.history[0],
        recipe.train.validation_targets, recipe.seed,
    )  # fmt: skip
    monitor = recipe.train.monitor or default_monitor(recipe)
    _check_monitor(monitor, validator.names(recipe))
    run = _digest(recipe, corpus)
    checkpoint.refuse_other_run(folder / "checkpoints", run)
    device = _device(recipe.train.device)
    with written_aside(folder / "recipe.json") as aside:
        aside.write_text(recipe.to_json(), encoding="utf-8")
    trainer = Trainer(
        model.to(device), balance.to(device), corpus.sequences, split, validator, validator.calibration,
        monitor, recipe.train, recipe.seed, run, folder,
    )  # fmt: skip
    trained = trainer.run()
    validator.calibrate(model)
    return Fitted(corpus, split, model, trained)


def build(
    config: ModelConfig, corpus: Corpus, seed: int, item_counts: NDArray[np.int64] | None = None
) -> Model:
    """An untrained model for a corpus, its weights drawn from the seed."""
    dimensions = Dimensions(
        width=config.width,
        max_length=config.max_length,
        num_items=len(corpus.items),
        behaviours=corpus.behaviours,
        tasks=tuple(config.tasks),
        has_times=corpus.sequences.times is not None,
        item_counts=item_counts,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "weights"))
        return Model(config, dimensions)


def _check_monitor(monitor: str, metrics: list[str]) -> None:
    if monitor not in metrics:
        raise RecipeError(
            "[train] monitor", f"one of {', '.join(metrics) or 'no metric at all'}", repr(monitor),
            "name a metric of a task that has validation targets",
        )  # fmt: skip


def _digest(recipe: Recipe, corpus: Corpus) -> str:
    text = json.dumps(recipe.shaping(), sort_keys=True) + corpus.sequences.digest()
    return hashlib.sha256(text.encode()).hexdigest()


def _device(name: str) -> torch.device:
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if present["cuda"] else "cpu")
    if not present[name]:
        found = ", ".join(kind for kind, here in present.items() if here)
        raise RecipeError("[train] device", f"one that is here: auto, {found}", repr(name), "use auto")
    return torch.device(name)
