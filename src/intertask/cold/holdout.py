"""Items that are taken out of a log as if they had never been, and what is then asked of a model.

The events of cold items are in no history, no target of training, no count and no statistic of content. They
are asked for alone: a target of a cold item has the history that is left before it.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from intertask.data.corpus import Corpus
from intertask.data.sequences import Sequences
from intertask.data.windows import Windows
from intertask.errors import DataError
from intertask.events.ranking import visited
from intertask.events.splits import Split
from intertask.options.seeds import generator

Part = Literal["validation", "test"]
FOLDS = 5
BLOCK = 20  # items of like popularity, of which each fold takes its share


@dataclass(frozen=True)
class Targets:
    """What is asked, and what is known when it is asked.

    Args:
        sequences: Without the events of cold items.
        windows: The history of each target in them.
        items: int64 [targets], what followed.
        users: int64 [targets].
        times: int64 [targets] seconds; None without a clock.
        cold: Whether it is a cold item, bool [targets].
        cold_I: The cold items that are candidates, bool [items].
        warm_I: The items with a training event, bool [items]; all others are no candidates.
        since_I: int64 [items], seconds from which on a cold item is a candidate; None where all always are.
    """

    sequences: Sequences
    windows: Windows
    items: NDArray[np.int64]
    users: NDArray[np.int64]
    times: NDArray[np.int64] | None
    cold: NDArray[np.bool_]
    cold_I: NDArray[np.bool_]
    warm_I: NDArray[np.bool_]
    since_I: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class HoldOut:
    """One fold.

    Args:
        corpus: Without the events of cold items, their ids and their content included.
        split: Of what is left.
        validation: Asked for while a constant is chosen.
        test: Asked for once; its cold items are others.
        withheld: The training events of the tested cold items, in the order of their time.
    """

    corpus: Corpus
    split: Split
    validation: Targets
    test: Targets
    withheld: Targets


def folds(counts_I: NDArray[np.int64], share: float, seed: int) -> list[NDArray[np.bool_]]:
    """Disjoint sets of items, each with so large a share of the items of any popularity.

    Args:
        counts_I: Events of each item; those without any are in no fold.
        share: Of the items, 0 to 1 / `FOLDS`.
        seed: Draws them.
    """
    random = generator(seed, "cold items")
    there = np.flatnonzero(counts_I > 0)
    order = random.permutation(there)
    order = order[np.argsort(-counts_I[order], kind="stable")]
    found = [np.zeros(len(counts_I), np.bool_) for _ in range(FOLDS)]
    for start in range(0, len(order), BLOCK):
        block = random.permutation(order[start : start + BLOCK])
        # Cut where the shares end, so that a short last block gives its part as well.
        cuts = np.round(np.arange(FOLDS + 1) * share * len(block)).astype(int)
        for fold, (low, high) in enumerate(pairwise(cuts)):
            found[fold][block[low:high]] = True
    return found


def hold_out(
    corpus: Corpus, split: Split, fold: int, share: float, seed: int, *, masked: bool, most: int
) -> HoldOut:
    """A fold of a log: its cold items are tested, those of the next one validate.

    Args:
        corpus: The whole log.
        split: What of it trains.
        fold: 0 to `FOLDS` - 1.
        share: Of the items that are cold in a part.
        seed: Draws them.
        masked: Whether items of a history are no candidates.
        most: Targets of a part that are asked for, drawn once for all models.

    Raises:
        DataError: A part has no target that is a cold item, or none that is another.
    """
    sequences = corpus.sequences
    training = split.training(sequences)
    counts_I = np.bincount(training.items, minlength=sequences.num_items)
    drawn = folds(counts_I, share, seed)
    tested, validated = drawn[fold % FOLDS], drawn[(fold + 1) % FOLDS]
    kept = ~(tested | validated)[sequences.items]
    before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)  # events that are left before each place
    left = _left(sequences, kept, before)
    warm_I = (counts_I > 0) & ~tested & ~validated
    parts: dict[Part, tuple[NDArray[np.int64], NDArray[np.bool_]]] = {
        "validation": (split.validation, validated),
        "test": (split.test, tested),
    }
    asked = {}
    for part, (places, cold_I) in parts.items():
        asked[part] = _targets(sequences, left, before, places, cold_I, warm_I, masked, most)
        cold = asked[part].cold
        for what, there in (("a cold item", cold.any()), ("an item with training events", (~cold).any())):
            if not there:
                raise DataError(
                    f"cold items, {part}",
                    f"a target that is {what}",
                    f"none among {len(places):,} targets",
                    "hold more back, or use a longer log",
                )
    smaller = Split(
        train_stop=before[split.train_stop],
        validation=before[split.validation[kept[split.validation]]],
        test=before[split.test[kept[split.test]]],
        description=f"{split.description}, without {int((tested | validated).sum())} items",
        cuts=split.cuts,
    )
    held = replace(corpus, sequences=left)
    users = np.repeat(np.arange(sequences.num_users), sequences.lengths)
    training_I = np.arange(sequences.num_events) < split.train_stop[users]
    places = np.flatnonzero(training_I & tested[sequences.items])
    if sequences.times is not None:
        places = places[np.argsort(sequences.times[places], kind="stable")]
    withheld = _targets(sequences, left, before, places, tested, warm_I, False, len(places))
    smaller = _with_history(left, smaller)
    return HoldOut(held, smaller, asked["validation"], asked["test"], withheld)


def _with_history(sequences: Sequences, split: Split) -> Split:
    """Without targets that nothing is left before."""
    parts = {}
    for part, places in (("validation", split.validation), ("test", split.test)):
        parts[part] = places[places > sequences.offsets[sequences.users_of(places)]]
    return replace(split, validation=parts["validation"], test=parts["test"])


def _left(sequences: Sequences, kept: NDArray[np.bool_], before: NDArray[np.int64]) -> Sequences:
    return replace(
        sequences,
        offsets=before[sequences.offsets],
        items=sequences.items[kept],
        behaviours=sequences.behaviours[kept],
        times=None if sequences.times is None else sequences.times[kept],
        labels={name: label[kept] for name, label in sequences.labels.items()},
    )


def _targets(
    sequences: Sequences,
    left: Sequences,
    before: NDArray[np.int64],
    places: NDArray[np.int64],
    cold_I: NDArray[np.bool_],
    warm_I: NDArray[np.bool_],
    masked: bool,
    most: int,
) -> Targets:
    items = sequences.items[places].astype(np.int64)
    asked = cold_I[items] | warm_I[items]
    if masked:
        asked &= ~visited(sequences, places)
    users = sequences.users_of(places)
    asked &= before[places] > left.offsets[users]  # a history is left
    rows = np.flatnonzero(asked)
    if len(rows) > most:
        rows = np.sort(generator(0, "cold targets").choice(rows, most, replace=False))
    places, items, users = places[rows], items[rows], users[rows]
    return Targets(
        left,
        Windows(left.offsets[users], before[places]),
        items,
        users,
        None if sequences.times is None else sequences.times[places].astype(np.int64),
        cold_I[items],
        cold_I,
        warm_I,
    )
