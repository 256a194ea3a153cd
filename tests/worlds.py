"""Worlds whose answer is known, and the small models that are tried on them."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import polars as pl
import torch

from intertask.data.batches import Batch, history_batch, training_batch
from intertask.data.corpus import Corpus
from intertask.data.sequences import Sequences, from_lists
from intertask.data.vocabulary import Vocabulary
from intertask.data.windows import Windows
from intertask.model import Model, ModelConfig
from intertask.nn.dimensions import Dimensions
from intertask.options.config import PluginConfig, config_class, kinds

BEHAVIOURS = ("buy", "view")
DAY = 86_400

# Products this small are computed sooner than threads meet: 0.2 s instead of 20 s on a busy machine.
torch.set_num_threads(1)


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """Torch's generator from a seed, given back as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def chain(num_items: int, num_users: int, length: int, seed: int = 0) -> list[list[int]]:
    """Each item has one successor, the same for everyone; where a user starts is chance.

    All items are equally frequent, so popularity knows nothing: the last item knows all.
    """
    random = np.random.default_rng(seed)
    order = np.random.default_rng(0).permutation(num_items)  # the same world whatever the seed of the users
    starts = random.integers(num_items, size=num_users)
    return [order[(start + np.arange(length)) % num_items].tolist() for start in starts]


def two_chains(num_items: int, num_users: int, length: int, seed: int = 0) -> list[list[int]]:
    """Two walks along the chain take turns: the last item says nothing, the one before it says all."""
    odd, even = (chain(num_items, num_users, length, seed * 2 + walk) for walk in (0, 1))
    pairs = (zip(left, right, strict=True) for left, right in zip(odd, even, strict=True))
    return [[item for pair in user for item in pair][:length] for user in pairs]


def noise(num_items: int, num_users: int, length: int, seed: int = 0) -> list[list[int]]:
    """Every event is a fair draw."""
    return np.random.default_rng(seed).integers(num_items, size=(num_users, length)).tolist()


def varied(num_users: int = 6, num_items: int = 7, longest: int = 6, seed: int = 0) -> Sequences:
    """Users of all lengths from two events on, with behaviours, times, and labels that are partly missing."""
    random = np.random.default_rng(seed)
    lengths = [2 + user % (longest - 1) for user in range(num_users)]
    rows = [random.integers(num_items, size=length).tolist() for length in lengths]
    return from_lists(
        rows,
        num_items,
        behaviours=[random.integers(len(BEHAVIOURS), size=length).tolist() for length in lengths],
        times=[np.cumsum(random.integers(0, 3 * DAY, size=length)).tolist() for length in lengths],
        labels={
            "rating": [
                np.where(random.random(length) < 0.4, np.nan, random.integers(1, 6, length)).tolist()
                for length in lengths
            ]
        },
    )


def corpus(sequences: Sequences, behaviours: tuple[str, ...] = BEHAVIOURS) -> Corpus:
    """The sequences as a prepared log whose ids are the indices."""
    users, items = (
        Vocabulary(pl.Series(range(size), dtype=pl.Int64))
        for size in (sequences.num_users, sequences.num_items)
    )
    return Corpus(users, items, behaviours, sequences)


def whole(sequences: Sequences) -> Windows:
    """One window for each user, over everything."""
    return Windows(sequences.offsets[:-1], sequences.offsets[1:])


def batch(sequences: Sequences) -> Batch:
    """All users as one training batch."""
    return training_batch(sequences, whole(sequences))


def dimensions(sequences: Sequences | None = None, **changes: object) -> Dimensions:
    """Small sizes that fit the sequences."""
    sizes: dict[str, object] = {
        "width": 8,
        "max_length": 12,
        "num_items": 7 if sequences is None else sequences.num_items,
        "behaviours": BEHAVIOURS,
        "tasks": ("next",),
        "has_times": sequences is None or sequences.times is not None,
    }
    return Dimensions(**(sizes | changes))  # type: ignore[arg-type]


def model(config: ModelConfig, sequences: Sequences, behaviours: tuple[str, ...] = BEHAVIOURS) -> Model:
    """An untrained model, always the same one."""
    with seeded():
        return Model(
            config,
            dimensions(
                sequences,
                width=config.width,
                max_length=config.max_length,
                behaviours=behaviours,
                tasks=tuple(config.tasks),
            ),
        )


def variants(folder: str, **options: object) -> dict[str, PluginConfig]:
    """Every kind in a plugin folder, each time bias on its own, with those options that it has."""
    found: dict[str, PluginConfig] = {}
    for kind in kinds(folder):
        cls = config_class(folder, kind, "tests")
        own = {name: value for name, value in options.items() if name in cls.model_fields}
        if "time_bias" not in cls.model_fields:
            found[kind] = cls.model_validate({"kind": kind, **own})
            continue
        for bias in ("off", "history", "query"):
            found[f"{kind}-{bias}"] = cls.model_validate({"kind": kind, "time_bias": bias, **own})
    return found


def learnt_hit_rate(config: ModelConfig, train: list[list[int]], test: list[list[int]], steps: int) -> float:
    """HR@1 of a model trained on some users for the last events of others."""
    num_items = 1 + max(item for user in train for item in user)
    times = [[DAY * place for place in range(len(user))] for user in train]
    sequences = from_lists(train, num_items, times=times)
    built = model(config, sequences, ("event",))
    seen = batch(sequences)
    optimiser = torch.optim.AdamW(built.parameters(), lr=0.01, fused=True)
    with seeded():
        for _ in range(steps):
            optimiser.zero_grad()
            built.losses(seen)["next"].backward()
            optimiser.step()
    asked = from_lists(
        [user[:-1] for user in test],
        num_items,
        times=[[DAY * place for place in range(len(user) - 1)] for user in test],
    )
    answer = torch.tensor([user[-1] for user in test])
    with torch.no_grad():
        states_BTD = built.eval().last_states(history_batch(asked, whole(asked)))
        scores_BI = built.task("next").score_items(states_BTD[:, 0])
    return float((scores_BI.argmax(1) == answer).float().mean())


def popularity_hit_rate(train: list[list[int]], test: list[list[int]]) -> float:
    """HR@1 of the most frequent item."""
    top = np.bincount(np.concatenate(train)).argmax()
    return float(np.mean([user[-1] == top for user in test]))
