"""Cross-domain: are two groups of films better trained together or apart?

    python benchmarks/claims/domains.py FOLDER [--seeds 1 2 3] [--mechanism "gated slots"]

MovieLens-1M; a film is of the first domain if it has one of the genres below, else of the second. The domain
stands in place of the behaviour, and each has a next-item task: `two_by_two.py` then tells what a domain
gains by reading the other's events, and what by being trained beside it.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from grid import arguments
from logs import written
from two_by_two import study

from intertask.data.prepare import prepare
from intertask.recipe import Recipe, source
from intertask.runs.study import settled

GENRES = {"Action", "Adventure", "Sci-Fi", "Thriller", "Horror", "War"}
DOMAINS = ("thrill", "other")


def main() -> None:
    """Train what is missing, print."""
    options = arguments(__doc__, recipe=False).parse_args()
    base = Recipe.read(Path(__file__).parent / "movielens_1m.toml")
    loaded = source.load(base.data, Path())
    assert loaded.catalogue is not None
    corpus = prepare(loaded.events)
    tags = loaded.catalogue.tags_of(corpus.items.ids)
    second = np.array([not GENRES & set(own or []) for own in tags.to_list()], dtype=np.uint8)
    sequences = replace(
        corpus.sequences, behaviours=second[corpus.sequences.items], num_behaviours=2, labels={}
    )
    data = written(
        replace(corpus, behaviours=DOMAINS, sequences=sequences), options.folder / "events.parquet"
    )
    told = base.model_dump(mode="json", exclude={"tasks", "data"})
    loss = {"kind": "shared_pool", "num_negatives": 1024}
    tasks = {name: {"kind": "next_item", "behaviour": name, "loss": loss} for name in DOMAINS}
    recipe = Recipe.model_validate(told | {"name": "two domains of films", "data": data, "tasks": tasks})
    print(study(settled(recipe, Path()), options.folder, options.seeds, options.mechanism))


if __name__ == "__main__":
    main()
