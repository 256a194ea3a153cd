"""One recipe on its data: from prepared corpora to trained models.

A run's folder holds recipe.json, journal.jsonl and checkpoints/ while it trains; evaluation.json
and targets.parquet once it has been evaluated.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from intertask.balance import Balance
from intertask.data.corpus import Corpus as EventCorpus
from intertask.data.seam import Corpus, Split
from intertask.errors import RecipeError, WriteError
from intertask.evaluate.choosing import ALL, thin_choice
from intertask.evaluate.validation import default_monitor, over_tasks
from intertask.events import mixing
from intertask.events.beside import readers_of
from intertask.events.splits import Split as EventSplit
from intertask.fitting.fitted import Fitted, FittedLog, FittedRows, on_log, on_rows
from intertask.fitting.starting import Start
from intertask.fitting.wings import Trainable, trainable
from intertask.inputs import Reader
from intertask.ranking import Ranker
from intertask.recipe import MAIN, Recipe
from intertask.samples.corpus import RowCorpus
from intertask.storage.files import written_aside
from intertask.storage.journal import GOES_ON
from intertask.storage.run_folder import FITTED, working_on
from intertask.terminal.progress import remark
from intertask.train import checkpoint
from intertask.train.loop import Trainer
from intertask.train.stream import Stream


def fit(recipe: Recipe, corpus: EventCorpus, folder: Path, start: Start | None = None) -> FittedLog:
    """Train, or go on training, in a run's folder; a recipe of one stream.

    Args:
        recipe: Of one stream.
        corpus: The log.
        folder: Of the run.
        start: A model whose weights training starts from; drawn from the seed if None.

    Raises:
        RecipeError: The recipe does not fit the data, or has several streams.
        TrainingError: A loss is not finite.
        IntertaskError: Another process works in the folder, or something stands there that is no run's.
    """
    return on_log(_fit_one(recipe, corpus, folder, start))


def _fit_one(
    recipe: Recipe, corpus: Corpus, folder: Path, start: Start | None = None
) -> Fitted[Corpus, Split]:
    if recipe.streams:
        raise RecipeError(
            "[streams]",
            "a recipe of one log",
            f"{', '.join(recipe.streams)} beside it",
            "train it with `intertask train`, or intertask.runs.run.train",
        )
    with working_on(folder, "train", FITTED):
        return fit_streams(recipe, {MAIN: corpus}, folder, start)[MAIN]


def fit_rows(recipe: Recipe, corpus: RowCorpus, folder: Path) -> FittedRows:
    """The same on rows of a table; raises what `fit` does."""
    return on_rows(_fit_one(recipe, corpus, folder))


def fit_streams(
    recipe: Recipe, corpora: Mapping[str, Corpus], folder: Path, start: Start | None = None
) -> dict[str, Fitted[Corpus, Split]]:
    """Train all streams of a recipe together, or go on training, in a run's folder.

    Args:
        recipe: With as many streams as there are corpora.
        corpora: The data of each stream, by its name.
        folder: Of the run; the caller has it for itself.
        start: A model whose weights that of the recipe's own log starts from.

    Raises:
        RecipeError: The recipe does not fit the data.
        RequestError: The model to start from is another one.
        TrainingError: A loss is not finite.
    """
    kept = None if start is None else readers_of(start.model)
    parts, balance = assembled(recipe, corpora, kept=kept)
    monitor = _monitor(recipe, parts.values())
    told = _told(parts.values(), monitor)
    device = device_of(recipe.train.device)
    run = digest(recipe, corpora)
    if start is not None:
        own = corpora[MAIN]
        assert isinstance(own, EventCorpus)
        start.give(parts[MAIN].model, own)
        run = hashlib.sha256(f"{run} {start.digest()}".encode()).hexdigest()
    checkpoint.refuse_other_run(folder / "checkpoints", run)
    with written_aside(folder / "recipe.json") as aside:
        aside.write_text(recipe.to_json(), encoding="utf-8")
    streams = streams_of(recipe, parts, device)
    owners = {task: part for part in parts.values() for task in part.config.tasks}
    bases = {task: basis for part in parts.values() for task, basis in part.examiner.bases().items()}

    def validate() -> dict[str, float]:
        metrics = {
            name: value for part in parts.values() for name, value in part.examiner(part.model).items()
        }
        if recipe.streams:
            metrics[ALL] = over_tasks(
                metrics, {task: part.config.tasks[task] for task, part in owners.items()}, bases
            )
        return metrics

    trainer = Trainer(
        streams,
        balance.to(device),
        validate,
        lambda model, task: owners[task].examiner.calibration(model, task),
        monitor,
        recipe.train,
        recipe.seed,
        run,
        folder,
        lambda model: next(part for part in parts.values() if part.model is model).examiner.frozen(model),
    )
    for words in told:
        remark(words)
    try:
        trained = trainer.run()
    except WriteError as error:  # by then something has been written
        raise WriteError(error.where, error.expected, error.found, GOES_ON) from error
    for part in parts.values():
        part.model.settle()
    trained = replace(trained, advice=(*trained.advice, *told))
    return {
        name: Fitted(
            part.corpus,
            part.split,
            part.model,
            trained,
            part.examiner,
            _calibrated(part),
            ranker=_ranker(recipe.views()[name], part),
        )
        for name, part in parts.items()
    }


def _ranker(recipe: Recipe, part: Trainable) -> Ranker | None:
    """What mixes the scores of a trained model of a log with those of other sources."""
    if not isinstance(part.corpus, EventCorpus) or not isinstance(part.split, EventSplit):
        return None
    histories = recipe.evaluation.history
    return mixing.learn(recipe.ranker, part.model, part.corpus, part.split, histories, recipe.seed)


def streams_of(recipe: Recipe, parts: Mapping[str, "Trainable"], device: torch.device) -> list[Stream]:
    """The streams of a recipe, their models on a device."""
    return [
        Stream.of(
            part.model.to(device),
            part.feed,
            recipe.train,
            name if recipe.streams else "",
            recipe.streams[name].weight if name in recipe.streams else 1.0,
        )
        for name, part in parts.items()
    ]


def _calibrated(part: "Trainable") -> dict[str, Tensor]:
    """Calibrate a model; returns what that added to weights of its heads, by their names."""
    before = {name: weight.clone() for name, weight in checkpoint.weights(part.model.tasks).items()}
    part.examiner.calibrate(part.model)
    now = checkpoint.weights(part.model.tasks)
    return {
        f"tasks.{name}": now[name] - weight
        for name, weight in before.items()
        if not torch.equal(weight, now[name])
    }


def _shared(recipe: Recipe, stream: str) -> tuple[str, ...]:
    return recipe.streams[stream].share if stream in recipe.streams else ()


def refuse_unfit(recipe: Recipe, corpora: Mapping[str, Corpus]) -> tuple[str, ...]:
    """What `fit_streams` would refuse before it trains, without training.

    Returns:
        What it would train all the same, and say something about.

    Raises:
        RecipeError: The recipe does not fit the data.
    """
    parts, _ = assembled(recipe, corpora)
    return _told(parts.values(), _monitor(recipe, parts.values()))


def _told(parts: Iterable[Trainable], monitor: str) -> tuple[str, ...]:
    """What to know before a training begins."""
    bases = {task: basis for part in parts for task, basis in part.examiner.bases().items()}
    found = thin_choice(monitor, bases)
    return () if found is None else (f"{found.text} {found.advice}",)


def assembled(
    recipe: Recipe,
    corpora: Mapping[str, Corpus],
    *,
    whole: bool = False,
    kept: Mapping[str, Reader] | None = None,
) -> tuple[dict[str, Trainable], Balance]:
    """The parts of a recipe by stream, and their balance.

    Args:
        recipe: With as many streams as there are corpora.
        corpora: The data of each stream, by its name.
        whole: Train on all events of each log, and hold none back.
        kept: Readers of users of a model that the recipe's own log starts from.

    Raises:
        RecipeError: The recipe does not fit the data.
    """
    device_of(recipe.train.device)
    if not recipe.streams and recipe.train.step == "together":
        raise RecipeError(
            "[train] step",
            '"turns", where there is one stream',
            '"together", which is of several',
            "leave it out, or add [streams.NAME]",
        )
    if recipe.train.step == "together" and recipe.balance.at_one_trunk:
        raise RecipeError(
            "[train] step",
            f'"turns" with a balance of kind {recipe.balance.kind!r}, which compares gradients of one batch',
            '"together", where each stream has a batch of its own',
            "take another balance, or turns",
        )
    parts: dict[str, Trainable] = {}
    for name, view in recipe.views().items():
        shared = {part: getattr(parts[MAIN].model, part) for part in _shared(recipe, name)}
        parts[name] = trainable(
            name, view, corpora[name], shared, whole=whole, kept=kept if name == MAIN else None
        )
    together = {task: part for part in parts.values() for task in part.config.attached()}
    balance = recipe.balance.build(
        {
            task: part.config.tasks[task].weight
            * _label_share(part, task) ** recipe.balance.labels
            * (part.config.tasks[task].nats(part.constant[task]) if recipe.balance.in_nats else 1.0)
            for task, part in together.items()
        },
        {task: part.constant[task] for task, part in together.items()},
    )
    return parts, balance


def _label_share(part: Trainable, task: str) -> float:
    """Labels of a task, as a share of those of the task of its stream that has most and is not detached."""
    return part.num_labels[task] / max(part.num_labels[other] for other in part.config.attached())


def _names(part: Trainable, whole: Recipe) -> list[str]:
    """Names of the validation metrics; of several streams, the one over the tasks is of all of them."""
    names = part.examiner.names()
    return [*names, ALL] if whole.streams and names else names


def _monitor(recipe: Recipe, parts: Iterable[Trainable]) -> str:
    """The metric that chooses the epoch.

    Raises:
        RecipeError: No validation target defines it.
    """
    parts = list(parts)
    monitor = recipe.train.monitor or (ALL if recipe.streams else default_monitor(recipe))
    if recipe.train.monitor is None and monitor != ALL:  # the rows say whether there are two classes
        monitor = parts[0].examiner.monitor(monitor.partition("/")[0])
    metrics = list(dict.fromkeys(name for part in parts for name in _names(part, recipe)))
    if monitor in metrics:
        return monitor
    task = monitor.partition("/")[0]
    if task in recipe.tasks and not any(name.startswith(f"{task}/") for name in metrics):
        own = next(part for part in parts if task in part.config.tasks)
        raise RecipeError(
            f"[tasks.{task}]",
            "a validation target, to choose the epoch by",
            "none",
            own.examiner.advice(task)
            + "name a metric of another task as [train] monitor, split otherwise, or leave the task out",
        )
    raise RecipeError(
        "[train] monitor",
        f"one of {', '.join(metrics) or 'no metric at all'}",
        repr(monitor),
        "name a metric of a task that has validation targets",
    )


def digest(recipe: Recipe, corpora: Mapping[str, Corpus]) -> str:
    """SHA-256 over all that determines what is trained."""
    text = json.dumps(recipe.shaping(), sort_keys=True)
    text += "".join(corpus.digest() for corpus in corpora.values())
    return hashlib.sha256(text.encode()).hexdigest()


def device_of(name: str) -> torch.device:
    """The device that a recipe names.

    Raises:
        RecipeError: It is not here.
    """
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if present["cuda"] else "cpu")
    if not present[name]:
        found = ", ".join(kind for kind, here in present.items() if here)
        raise RecipeError("[train] device", f"one that is here: auto, {found}", repr(name), "use auto")
    return torch.device(name)
