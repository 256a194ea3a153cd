"""Fold by fold: train without some items, ask for them by their content, beside what needs no model."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import PrivateAttr

from intertask.cold.holdout import FOLDS, HoldOut, Targets, hold_out
from intertask.cold.measures import GRID, NATURAL, AtRandom, Measured, Scorer, measured, spread
from intertask.cold.mixtures import Summed
from intertask.cold.references import references
from intertask.cold.scorer import MixtureScorer, ModelScorer
from intertask.cold.warming import warming
from intertask.content.described import Described
from intertask.data.corpus import Corpus
from intertask.data.sequences import Sequences
from intertask.errors import RequestError
from intertask.evaluate.config import ALONE, MODEL
from intertask.events.splits import LeaveOneOut, Split
from intertask.events.trainable import described_items
from intertask.fitting.experiment import fit
from intertask.fitting.fitted import FittedLog
from intertask.items import ItemsConfig
from intertask.items.table import Config as Table
from intertask.metrics.bootstrap import difference_intervals, resampled_sums
from intertask.model import Model
from intertask.options.seeds import generator
from intertask.rankers.none import Config as NoRanker
from intertask.recipe import Recipe

CONSTANT = "a constant alone"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class System:
    """What one system reached on the tested cold items of all folds.

    Args:
        found: For each constant.
        constants: [targets], index of the constant that was chosen on the validation of the target's fold.
        validated: [targets, constants], NDCG@20 of the warm validation targets of the target's fold.
    """

    found: Measured
    constants: NDArray[np.int64]
    validated: Floats

    def chosen(self, name: str) -> Floats:
        """A measure at the chosen constant, [targets]."""
        return np.asarray(getattr(self.found, name)[np.arange(len(self.constants)), self.constants])


@dataclass(frozen=True)
class ColdStart:
    """The result over all folds.

    Args:
        systems: By name.
        cold: Whether a target is a cold item, bool [targets].
        users: int64 [targets], those of different folds apart.
        folds: How many.
        items: Cold items that were tested, and all candidates of a fold in the mean.
        warmed: The means over folds of what the first events of cold items bring (`warming`).
        seed: Of the resampling.
    """

    systems: Mapping[str, System]
    cold: NDArray[np.bool_]
    users: NDArray[np.int64]
    folds: int
    items: tuple[int, int]
    warmed: pl.DataFrame
    seed: int = 0

    def table(self) -> pl.DataFrame:
        """A row for each system at its own scores and at the constant chosen on validation."""
        rows = []
        for name, system in self.systems.items():
            for point in ("own scores", "chosen constant"):
                ndcg, hits, exposure = (
                    getattr(system.found, measure)[:, NATURAL]
                    if point == "own scores"
                    else system.chosen(measure)
                    for measure in ("ndcg", "hits", "exposure")
                )
                rows.append(
                    {
                        "system": name,
                        "cold scores": point,
                        "cold NDCG@20": ndcg[self.cold].mean(),
                        "cold HR@20": hits[self.cold].mean(),
                        "warm NDCG@20": ndcg[~self.cold].mean(),
                        "warm HR@20": hits[~self.cold].mean(),
                        "all NDCG@20": ndcg.mean(),
                        "AUC within cold": np.nanmean(system.found.auc),
                        "cold share of places": exposure.mean(),
                    }
                )
        return pl.DataFrame(rows)

    def curve(self, name: str) -> pl.DataFrame:
        """Cold against warm as a constant is added to all cold scores."""
        ndcg = self.systems[name].found.ndcg
        return pl.DataFrame(
            {
                "constant": GRID,
                "cold NDCG@20": ndcg[self.cold].mean(0),
                "warm NDCG@20": ndcg[~self.cold].mean(0),
                "all NDCG@20": ndcg.mean(0),
            }
        )

    def against(self) -> pl.DataFrame:
        """NDCG@20 of the model less that of each other system, where warm items cost the model no more.

        The other one is at the constant that it has chosen; the model at the highest at which its warm
        validation targets are answered as well as the other's, or at its own where they never are.
        """
        own, rows = self.systems[MODEL], []
        for name, other in self.systems.items():
            if name == MODEL:
                continue
            ndcg = own.found.ndcg[np.arange(len(self.cold)), _as_warm(own, other)]
            row: dict[str, object] = {"system": name}
            for part, members in (("cold", self.cold), ("warm", ~self.cold)):
                found = difference_intervals(
                    ndcg[members, None],
                    other.chosen("ndcg")[members, None],
                    self.users[members],
                    generator(self.seed, "bootstrap"),
                )
                row |= {part: found.values[0], f"{part} low": found.lows[0], f"{part} high": found.highs[0]}
            rows.append(row)
        return pl.DataFrame(rows)

    def gain(self) -> tuple[float, float, float]:
        """How many times the cold NDCG@20 of a constant alone the model has where warm items lose as much.

        Returns:
            The ratio, and the ends of its 95 % interval over users.
        """
        own, alone = self.systems[MODEL], self.systems[CONSTANT]
        ndcg = own.chosen("ndcg")
        warm = alone.found.ndcg[~self.cold].mean(0)  # falls as the constant rises
        aim = ndcg[~self.cold].mean()
        after = int(np.clip(np.searchsorted(-warm, -aim), 1, len(GRID) - 1))
        share = float(np.clip((warm[after - 1] - aim) / max(1e-12, warm[after - 1] - warm[after]), 0, 1))
        level = (1 - share) * alone.found.ndcg[:, after - 1] + share * alone.found.ndcg[:, after]
        pair = np.stack([ndcg[self.cold], level[self.cold]], 1)
        sums = resampled_sums(pair, self.users[self.cold], generator(self.seed, "bootstrap"), 2000)
        ratios = sums[:, 0] / sums[:, 1].clip(min=1e-12)
        low, high = np.quantile(ratios, [0.025, 0.975])
        return float(pair[:, 0].sum() / max(1e-12, pair[:, 1].sum())), float(low), float(high)


def cold_start(
    recipe: Recipe,
    corpus: Corpus,
    *,
    num_folds: int = 1,
    share: float = 0.15,
    task: str | None = None,
    most: int = 20_000,
    further: Mapping[str, Recipe] | None = None,
    separate: bool = False,
) -> ColdStart:
    """Train without some items, and ask for them.

    Args:
        recipe: Its items are made of content.
        corpus: The log with its catalogue.
        num_folds: Of five, each of them another model.
        share: Of the items that a fold tests, and of those that it validates; a fifth at most.
        task: Which ranks; the first that does if left out.
        most: Targets of a part that are asked for.
        further: Other recipes to train and ask in the same way, by name.
        separate: Train a model of ids and one of content as well, and ask them alone and summed.

    Raises:
        RequestError: The recipe does not read content, or an argument cannot be.
        DataError: No target is a cold item.
    """
    if not recipe.items.reads_catalogue or corpus.catalogue is None:
        raise RequestError(
            "cold start", 'items made of a catalogue, [items] kind = "content"', recipe.items.kind
        )
    if not 1 <= num_folds <= FOLDS or not 0 < share <= 1 / FOLDS:
        raise RequestError(
            "cold start", f"1 to {FOLDS} folds, a share of at most .2", f"{num_folds}, {share}"
        )
    ranking = recipe.tasks_that_rank()
    if task not in (None, *ranking) or not ranking:
        raise RequestError("cold start task", f"one of {', '.join(ranking)}", repr(task))
    asked = task or ranking[0]
    masked = recipe.evaluation.history[0] == "masked"
    split = recipe.split_events(corpus.sequences)
    parts: list[tuple[dict[str, System], Targets]] = []
    warmed = []
    for fold in range(num_folds):
        held = hold_out(corpus, split, fold, share, recipe.seed, masked=masked, most=most)
        fitted = trained(recipe, held.corpus, held.split)
        model = fitted.model
        systems = _systems(recipe, fitted, held, asked, further or {})
        if separate:
            systems |= _separate(recipe, held, asked)
        parts.append(({name: _asked(own, held, masked) for name, own in systems.items()}, held.test))
        warmed.append(warming(model, held, asked, masked=masked))
    return _together([own for own, _ in parts], [targets for _, targets in parts], warmed)


def _systems(
    recipe: Recipe, fitted: FittedLog, held: HoldOut, task: str, further: Mapping[str, Recipe]
) -> dict[str, Scorer]:
    systems = own_systems(recipe, fitted, task)
    systems[CONSTANT] = AtRandom(recipe.seed, systems[MODEL])
    for name, other in further.items():
        systems[name] = ModelScorer(trained(other, held.corpus, held.split).model, task)
    training = held.split.training(held.corpus.sequences)
    counts = np.bincount(training.items, minlength=training.num_items)
    described = fitted.model.dimensions.described or described_items(recipe, held.corpus, counts)
    assert isinstance(described, Described)
    systems |= references(training, described.features_IF, recipe.seed)
    return systems | {"random": AtRandom(recipe.seed)}


def own_systems(recipe: Recipe, fitted: FittedLog, task: str) -> dict[str, Scorer]:
    """What would be served, and the model alone where that is a mixture."""
    model = ModelScorer(fitted.model, task)
    if fitted.ranker is None:
        return {MODEL: model}
    return {MODEL: MixtureScorer(model, fitted.ranker, recipe.evaluation.history[0]), ALONE: model}


def _separate(recipe: Recipe, held: HoldOut, task: str) -> dict[str, Scorer]:
    """Source: separately trained models of ids and of texts, as EnsRec sums them."""

    def alone(items: ItemsConfig) -> Model:
        other = recipe.model_copy(update={"items": items, "ranker": NoRanker()})
        return trained(other, held.corpus, held.split).model

    parts = {
        "ids alone": ModelScorer(alone(Table()), task),
        "content alone": ModelScorer(alone(recipe.items.model_copy(update={"radius": 0.0})), task),
    }
    return {**parts, "ids and content, summed": Summed(parts["ids alone"], parts["content alone"])}


def trained(recipe: Recipe, corpus: Corpus, split: Split) -> FittedLog:
    """What comes of a recipe on a split that is there already."""
    held = _Held()
    held.keep(split)
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(recipe.model_copy(update={"split": held}), corpus, Path(folder))
    fitted.model.eval()
    return fitted


class _Held(LeaveOneOut):
    """A split that is there already."""

    _split: Split | None = PrivateAttr(default=None)

    def keep(self, split: Split) -> None:
        """Take it."""
        self._split = split

    def split(self, sequences: Sequences) -> Split:
        """What was taken."""
        assert self._split is not None
        return self._split


def _asked(scorer: Scorer, held: HoldOut, masked: bool) -> System:
    """The constant is chosen where all targets of the validation together are answered best."""
    unit = spread(scorer, held.validation)
    validated = measured(scorer, held.validation, unit, masked=masked)
    best = int(validated.ndcg.mean(0).argmax())
    found = measured(scorer, held.test, unit, masked=masked)
    warm = validated.ndcg[~held.validation.cold].mean(0)
    num = len(held.test)
    return System(found, np.full(num, best), np.broadcast_to(warm, (num, len(GRID))))


def _as_warm(own: System, other: System) -> NDArray[np.int64]:
    """The highest constant at which warm targets are answered as well as another's, [targets]."""
    level = other.validated[np.arange(len(other.constants)), other.constants]
    as_well = own.validated >= level[:, None]
    highest = len(GRID) - 1 - as_well[:, ::-1].argmax(1)
    return np.where(as_well.any(1), highest, own.constants)


def _together(
    parts: list[dict[str, System]], targets: list[Targets], warmed: list[pl.DataFrame]
) -> ColdStart:
    names = ("ndcg", "hits", "exposure", "auc")
    systems = {
        name: System(
            Measured(*(np.concatenate([getattr(part[name].found, own) for part in parts]) for own in names)),
            np.concatenate([part[name].constants for part in parts]),
            np.concatenate([part[name].validated for part in parts]),
        )
        for name in parts[0]
    }
    shift = max(int(own.users.max()) for own in targets) + 1
    return ColdStart(
        systems,
        np.concatenate([own.cold for own in targets]),
        np.concatenate([own.users + fold * shift for fold, own in enumerate(targets)]),
        len(targets),
        (
            sum(int(own.cold_I.sum()) for own in targets),
            int(np.mean([(own.cold_I | own.warm_I).sum() for own in targets])),
        ),
        pl.concat(warmed).group_by("events shown", maintain_order=True).mean(),
    )
