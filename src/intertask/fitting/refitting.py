"""The model that is served has seen everything: trained on all events, as long as an evaluated one was best.

An evaluated model knows nothing of what validation and test held back, which is what people did last. Once
it is there, a second one is trained on all events: for as many epochs as were chosen, on the same schedule,
heads of tasks for as many as theirs, with the edges between tasks that were left open, and with the
calibration of the first, since no events are left to find one by. Nobody measures it.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch

from intertask.data.corpus import Corpus as EventCorpus
from intertask.data.seam import Corpus, Split
from intertask.events import mixing
from intertask.fitting.experiment import assembled, device_of, digest, streams_of
from intertask.fitting.fitted import Fitted
from intertask.model import Model
from intertask.ranking import Ranker
from intertask.recipe import MAIN, Recipe
from intertask.terminal.progress import remark
from intertask.train import checkpoint, edges
from intertask.train.whole import Plan, WholeTrainer


def refits(recipe: Recipe, corpora: Mapping[str, Corpus]) -> bool:
    """Whether a run is to train once more: it asks for it, and all its data are logs."""
    return recipe.train.refit and all(isinstance(corpus, EventCorpus) for corpus in corpora.values())


def refit(
    recipe: Recipe,
    corpora: Mapping[str, Corpus],
    fitted: Mapping[str, Fitted[Corpus, Split]],
    folder: Path,
) -> dict[str, Fitted[Corpus, Split]]:
    """Train on all events of each log, or go on training.

    Args:
        recipe: As it was trained.
        corpora: The log of each stream, by its name.
        fitted: What was trained on the training parts.
        folder: For the journal and the checkpoints.

    Raises:
        TrainingError: A loss is not finite.
    """
    remark("training once more, on all events, what will be served")
    parts, balance = assembled(recipe, corpora, whole=True)
    trained, device = fitted[MAIN].trained, device_of(recipe.train.device)
    streams = streams_of(recipe, parts, device)
    for name, part in parts.items():
        _copy_edges(fitted[name].model, part.model)
    plan = Plan(trained.best_epoch + 1, trained.own_epochs)
    run = hashlib.sha256(f"{digest(recipe, corpora)} {plan}".encode()).hexdigest()
    folder.mkdir(exist_ok=True)
    WholeTrainer(streams, balance.to(device), plan, recipe.train, recipe.seed, run, folder).run()
    for name, part in parts.items():
        part.model.settle()
        _correct(part.model, fitted[name].corrections)
    return {
        name: Fitted(
            part.corpus,
            part.split,
            part.model,
            trained,
            part.examiner,
            refitted=True,
            ranker=_again(recipe.views()[name], fitted[name], part.model),
        )
        for name, part in parts.items()
    }


def _copy_edges(source: Model, target: Model) -> None:
    """The edges between tasks that were left open."""
    there = edges.switches(source)
    for name, switches in there.items():
        edges.copy_edges(switches, target.get_parameter(name))


def _correct(model: Model, corrections: Mapping[str, torch.Tensor]) -> None:
    """Change weights by as much as the calibration of the evaluated model changed its own."""
    with torch.no_grad():
        for name, weight in checkpoint.weights(model).items():
            if name in corrections:
                weight.add_(corrections[name])


def _again(recipe: Recipe, fitted: Fitted[Corpus, Split], model: Model) -> Ranker | None:
    """The ranker of the evaluated model, over sources that have seen all events."""
    if not isinstance(fitted.corpus, EventCorpus):
        return None
    return mixing.refitted(recipe.ranker, fitted.ranker, model, fitted.corpus, recipe.seed)
