"""What each part of items from content and of a ranker brings, on the validation part alone.

    python benchmarks/ablation_items.py RECIPE.toml [--most 5000] [--set PATH=VALUE ...]

The recipe has items of content. First table: models trained without a share of the items (`evaluate --cold`),
asked for items that only validate; scores are those of the heads, without a bonus for new items. Second
table: the recipe's own model, its blend learned on half of the people of the validation part and judged on
the other half, both ways; then without each source, without the model, and the model alone. Lines are
printed as they come.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intertask.cold.holdout import hold_out
from intertask.cold.measures import NATURAL, measured
from intertask.cold.scorer import ModelScorer
from intertask.cold.study import trained
from intertask.data.corpus import Corpus
from intertask.data.prepare import prepare
from intertask.events import mixing
from intertask.items import ItemsConfig
from intertask.items.table import Config as Table
from intertask.metrics.bootstrap import difference_intervals
from intertask.model import Model
from intertask.options.seeds import generator
from intertask.rankers import MODEL, Examples
from intertask.rankers.blend import Config as Blend
from intertask.rankers.none import Config as NoRanker
from intertask.recipe import Recipe
from intertask.recipe.source import load

FOLD, SHARE = 0, 0.15


def variants(items: ItemsConfig) -> dict[str, ItemsConfig]:
    """The items of each model; all of content without a bonus."""
    as_it_is = items.model_copy(update={"new_item_bonus": 0.0})
    changes: dict[str, dict[str, object]] = {
        "content only": {"radius": 0.0},
        "id dropout .2": {"id_dropout": 0.2},
        "bounded id": {"radius": 4.0, "evidence": 5.0},
        "whitening off": {"whiten": False},
    }
    return {
        "sum of content and id": as_it_is,
        "id only": Table(),
        **{name: as_it_is.model_copy(update=own) for name, own in changes.items()},
    }


def cold(recipe: Recipe, corpus: Corpus, most: int) -> Iterator[str]:
    """A line for each kind of items."""
    masked = recipe.evaluation.history[0] == "masked"
    split = recipe.split_events(corpus.sequences)
    held = hold_out(corpus, split, FOLD, SHARE, recipe.seed, masked=masked, most=most)
    targets, task = held.validation, recipe.tasks_that_rank()[0]
    alone = recipe.model_copy(update={"ranker": NoRanker()})
    yield f"{len(targets):,} validation targets, {int(targets.cold.sum()):,} of items without an event"
    yield "| Items | cold NDCG@20 | warm | all | AUC within cold | cold places |"
    yield "|---|---|---|---|---|---|"
    for name, items in variants(recipe.items).items():
        fitted = trained(alone.model_copy(update={"items": items}), held.corpus, held.split)
        found = measured(ModelScorer(fitted.model, task), targets, 1.0, masked=masked)
        ndcg = found.ndcg[:, NATURAL]
        figures = (
            ndcg[targets.cold].mean(),
            ndcg[~targets.cold].mean(),
            ndcg.mean(),
            np.nanmean(found.auc),
            found.exposure[:, NATURAL].mean(),
        )
        yield f"| {name} | " + " | ".join(f"{figure:.4f}" for figure in figures) + " |"


def mixed(recipe: Recipe, corpus: Corpus) -> Iterator[str]:
    """A line for the blend as it is and without each of its parts, with the difference from the first."""
    split, history = recipe.split_events(corpus.sequences), recipe.evaluation.history[0]
    model = trained(recipe.model_copy(update={"ranker": NoRanker()}), corpus, split).model
    config = recipe.ranker if isinstance(recipe.ranker, Blend) else Blend()
    training, task = split.training(corpus.sequences), recipe.tasks_that_rank()[0]
    told = mixing.signals(config.sources, training, recipe.seed, corpus.behaviours, mixing.content(model))
    targets = mixing.lessons(recipe.tasks[task], corpus, split, history)
    examples = mixing.gathered(
        config,
        model,
        corpus.sequences,
        told,
        targets,
        history,
        recipe.seed,
        mixing.idle(model, training),
        mixing.new(model, training),
    )
    yield f"task {task}, history {history}, {len(examples):,} validation targets"
    yield "| Mixed | NDCG@10 | less all of it |"
    yield "|---|---|---|"
    whole: NDArray[np.float64] | None = None
    for name, columns in parts(examples, model).items():
        gains_N = judged(config, examples.of(columns), recipe.seed)
        whole = gains_N if whole is None else whole
        pair = (gains_N[:, None], whole[:, None])
        less = difference_intervals(*pair, examples.people_N, generator(recipe.seed, "bootstrap"))
        yield (
            f"| {name} | {gains_N.mean():.4f} | "
            f"{less.values[0]:+.4f} ({less.lows[0]:+.4f} to {less.highs[0]:+.4f}) |"
        )


def parts(examples: Examples, model: Model) -> Mapping[str, tuple[str, ...]]:
    """The columns of each mixture."""
    tasks = tuple(name for name in examples.columns if name.startswith(MODEL))
    sources = tuple(name for name in examples.columns if name not in tasks)
    content = tuple(name for name in sources if name.startswith("content"))
    found = {"everything": examples.columns, "the ranker off": (MODEL + model.config.tasks_that_rank()[0],)}
    found["without the model"] = sources
    if content:
        found["without content"] = tuple(name for name in examples.columns if name not in content)
    return found | {
        f"without {left}": tuple(name for name in examples.columns if name != left) for left in sources
    }


def judged(config: Blend, examples: Examples, seed: int) -> NDArray[np.float64]:
    """Gain of each target by weights that were learned on the other half of the people."""
    gains_N = np.zeros(len(examples))
    half_N = examples.people_N % 2 == 0
    for judges_N in (half_N, ~half_N):
        blend = config.learn(examples.take(~judges_N), seed)
        part = examples.take(judges_N)
        own_NK1 = blend.weights_of(part.lengths_N)[:, :, None]
        sums_NC = np.where(part.mask_NC, (part.said_NCK @ own_NK1)[..., 0], -np.inf)
        own_N1 = sums_NC[np.arange(len(part)), np.maximum(part.target_N, 0)][:, None]
        ranks_N = (sums_NC >= own_N1).sum(1)
        hit_N = (ranks_N <= 10) & (part.target_N >= 0)
        gains_N[judges_N] = np.where(hit_N, 1 / np.log2(1.0 + ranks_N), 0.0)
    return gains_N


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--most", type=int, default=5_000, help="targets of the first table")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE")
    options = parser.parse_args()
    recipe = Recipe.read(options.recipe, options.set)
    loaded = load(recipe.data, options.recipe.parent)
    corpus = prepare(loaded.events, catalogue=loaded.catalogue)
    for line in (*cold(recipe, corpus, options.most), "", *mixed(recipe, corpus)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
