"""The data sets as intertask reads them, and the plain files that the peers are given.

    python benchmarks/peers/export.py ml100k FOLDER

Leave-one-out: the last event of each user is left out altogether, the one before it validates, the rest
trains. Codes are those of intertask's prepared corpus, so that all scores are of the same items.
"""

import sys
from functools import cache
from pathlib import Path

import numpy as np
from exported import Exported

from intertask.data.corpus import Corpus
from intertask.data.prepare import prepare
from intertask.events.splits import LeaveOneOut
from intertask.recipe import source
from intertask.recipe.data_section import DataConfig

DATASETS: dict[str, tuple[str | dict[str, object], int]] = {  # and the longest history
    "ml100k": ("movielens_100k", 50),
    "ml1m": ("movielens_1m", 200),
    "tiny": ({"kind": "synthetic", "users": 60, "items": 30, "length": 12}, 10),
}


@cache
def corpus(dataset: str) -> Corpus:
    """The prepared events of a data set."""
    config = DataConfig.model_validate({"dataset": DATASETS[dataset][0]})
    return prepare(source.load(config, Path()).events)


def export(dataset: str, folder: Path) -> None:
    """Write what the peers are given."""
    sequences = corpus(dataset).sequences
    split = LeaveOneOut().split(sequences)
    training = split.training(sequences)
    targets = split.validation
    Exported(
        training.offsets,
        training.items.astype(np.int64),
        sequences.users_of(targets),
        sequences.items[targets].astype(np.int64),
        sequences.num_items,
        DATASETS[dataset][1],
    ).write(folder)


if __name__ == "__main__":
    export(sys.argv[1], Path(sys.argv[2]))
