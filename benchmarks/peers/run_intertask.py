"""intertask: the attention encoder of the equal model, its own defaults, or a recipe for a course."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import measuring
import numpy as np
import torch
from export import corpus
from exported import Exported
from measuring import Course, Enough, Found, Meter, Options
from numpy.typing import NDArray

from intertask.data.seam import Batch
from intertask.evaluate.validation import default_monitor
from intertask.events.feed import EventFeed
from intertask.events.splits import LeaveOneOut, Split
from intertask.events.systems import ModelSystem
from intertask.events.trainable import build
from intertask.events.validation import Validator
from intertask.model import Model
from intertask.nn.encoded import Encoded
from intertask.recipe import Recipe
from intertask.train.loop import Trainer
from intertask.train.stream import Stream

FILE = "intertask.pt"


def train(options: Options, data: Exported) -> Found:
    """Throughput; validation is skipped, checkpoints are written as always."""
    meter = Meter(options)
    recipe = _equal(options, data, options.epochs + 1)
    model = _build(recipe, options, data)
    own = model.losses

    with TemporaryDirectory() as folder:
        trainer = _trainer(recipe, model, options, Path(folder), lambda _: 0.0)

        def losses(batch: Batch, encoded: Encoded | None = None) -> dict[str, torch.Tensor]:
            meter.require(batch.num_tokens, trainer.num_batches)
            return own(batch, encoded)

        setattr(model, "losses", losses)  # noqa: B010 (this one model; the class stays as it is)
        with suppress(Enough):
            trainer.run()
    torch.save(model.state_dict(), options.folder / FILE)
    return meter.result(_weights(model))


def evaluate(options: Options, data: Exported) -> Found:
    """intertask's own ranking of the validation targets, as an epoch is chosen by it."""
    recipe = _equal(options, data, 1)
    model = _build(recipe, options, data)
    model.load_state_dict(torch.load(options.folder / FILE))
    model.eval()
    prepared = corpus(options.dataset)
    everyone = len(data.target_users)

    def rank() -> dict[str, float]:
        split = LeaveOneOut().split(prepared.sequences)
        validator = Validator(prepared.sequences, split, prepared.behaviours, "masked", everyone)
        return {name.split("/")[1]: value for name, value in validator(model).items()}

    return measuring.timed_twice(rank)


def quality(options: Options, data: Exported) -> Found:
    """The course of a recipe, or of the equal model."""
    recipe = _equal(options, data, measuring.ENDLESS)
    if options.recipe is not None:
        recipe = Recipe.read(options.recipe)
    model = _build(recipe, options, data)
    course = Course(options, data)
    sequences = corpus(options.dataset).sequences
    split = LeaveOneOut().split(sequences)
    task = model.config.tasks_that_rank()[0]

    def validate(model: Model) -> float:
        rows = np.full(data.num_users, -1)
        rows[data.target_users] = np.arange(len(data.target_users))

        def score(users: NDArray[np.int64]) -> NDArray[np.float32]:
            # Made here, where the clock stands: it encodes the histories at once.
            system = ModelSystem(model, sequences, split.validation[rows[users]])
            return system.score(task, np.arange(len(users))).numpy()

        if course.end_epoch(score):
            raise Enough
        return course.best

    with TemporaryDirectory() as folder:
        trainer = _trainer(recipe, model, options, Path(folder), validate)
        course.start()
        with suppress(Enough):
            trainer.run()
    return course.result(_weights(model))


def _equal(options: Options, data: Exported, epochs: int) -> Recipe:
    sequences = corpus(options.dataset).sequences
    assert sequences.num_items == data.num_items, "exported from other data"
    # As near as our blocks come to those of SASRec, and batches of as many targets as theirs have in the
    # mean, who count sequences; or blocks and batches of our own.
    plain = options.variant == "plain"
    blocks = {"gated": False, "inner_factor": 2 / 3} if plain else {}
    # The peers have one task and no slots for several: those of the defaults would be weights that they lack.
    alone = {"communication": {"kind": "shared"}} if plain else {}
    targets = np.minimum(np.diff(data.offsets) - 1, data.max_length)
    batches = (
        {"batch_tokens": round(measuring.SEQUENCES * float(targets[targets > 0].mean()))} if plain else {}
    )
    return Recipe.model_validate(
        {
            "width": measuring.WIDTH,
            "max_length": data.max_length,
            "encoder": {
                "kind": "attention",
                "num_layers": measuring.LAYERS,
                "num_heads": measuring.HEADS,
                "dropout": options.dropout,
                **blocks,
            },
            **alone,
            "input": {"kind": "events", "dropout": options.dropout},
            # The events that the peers read, and no average of the weights, which they do not keep.
            "train": {
                "epochs": epochs,
                "patience": epochs,
                "windows": "last",
                "average": 0.0,
                "warmup_steps": 200,
                **batches,
            },
        }
    )


def _build(recipe: Recipe, options: Options, data: Exported) -> Model:
    torch.set_num_threads(options.threads)
    counts = np.bincount(data.items, minlength=data.num_items)
    return build(recipe, corpus(options.dataset), recipe.seed, counts)


def _trainer(
    recipe: Recipe, model: Model, options: Options, folder: Path, validate: Callable[[Model], float]
) -> Trainer:
    prepared = corpus(options.dataset)
    split: Split = LeaveOneOut().split(prepared.sequences)
    training = split.training(prepared.sequences)
    constant = {
        name: task.constant_loss(training, prepared.behaviours) for name, task in recipe.tasks.items()
    }
    weights = {name: task.weight for name, task in recipe.tasks.items()}
    monitor = default_monitor(recipe)
    feed = EventFeed(prepared.sequences, split, model.config.max_length, recipe.train.windows)
    return Trainer(
        [Stream.of(model, feed, recipe.train)],
        recipe.balance.build(weights, constant),
        lambda: {monitor: validate(model)},
        lambda model, task: None,
        monitor,
        recipe.train,
        recipe.seed,
        "peers",
        folder,
    )


def _weights(model: Model) -> int:
    return sum(weight.numel() for weight in model.parameters())


if __name__ == "__main__":
    measuring.main({"train": train, "evaluate": evaluate, "quality": quality})
