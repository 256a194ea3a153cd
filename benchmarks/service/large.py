"""A model of 100,000 items and width 64 to be served and measured; its weights are untrained.

python benchmarks/service/large.py FOLDER [--items 100000] [--users 1000]
intertask serve FOLDER --data FOLDER/service --port 8080
python benchmarks/service/figures.py http://127.0.0.1:8080 KEY
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from intertask import Recipe, artefact
from intertask.artefact.log import LogArtefact
from intertask.data.corpus import Corpus
from intertask.data.sequences import from_lists
from intertask.data.vocabulary import Vocabulary
from intertask.events.trainable import build
from intertask.train.checkpoint import weights

LENGTH = 50


def write(folder: Path, num_items: int, num_users: int, seed: int = 0) -> None:
    """Write the model's folder; another model for each seed."""
    random = np.random.default_rng(seed)
    recipe = Recipe(width=64, max_length=LENGTH, encoder="attention", seed=seed)
    users, items = (
        Vocabulary(pl.Series([f"{kind}{number}" for number in range(size)]))
        for kind, size in (("u", num_users), ("i", num_items))
    )
    stored = from_lists(random.integers(num_items, size=(num_users, LENGTH)).tolist(), num_items)
    corpus = Corpus(users, items, ("view",), stored)
    made = LogArtefact(
        recipe=recipe,
        behaviours=corpus.behaviours,
        items=items,
        users=users,
        weights=artefact.as_arrays(weights(build(recipe, corpus, recipe.seed))),
        histories=stored,
        popularity=random.integers(1, 1_000, size=(1, num_items)),
        catalogue=None,
    )
    artefact.save(made, folder)


def main() -> None:
    """Write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=1_000)
    chosen = parser.parse_args()
    write(chosen.folder, chosen.items, chosen.users)


if __name__ == "__main__":
    main()
