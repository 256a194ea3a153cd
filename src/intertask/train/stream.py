"""Where batches come from: a feed, the model that learns from it, and how often it has its turn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intertask.data.batches import TOKENS, plan
from intertask.data.seam import Batch, Feed
from intertask.model import Model
from intertask.options.seeds import generator
from intertask.train.config import TrainConfig

BATCH_TOKENS, LEAST_TOKENS, LEAST_STEPS = TOKENS, 256, 32  # where the recipe leaves the size of a batch out


@dataclass(frozen=True)
class Stream:
    """One log or set of samples, and what is trained on it.

    Args:
        model: Whose losses its batches have; it may share parts with those of other streams.
        feed: What there is to train on.
        batch_tokens: Most places in a batch.
        name: In the journal, and of its own random numbers; empty where there is one stream.
        weight: How often it has its turn, against the others.
    """

    model: Model
    feed: Feed
    batch_tokens: int
    name: str = ""
    weight: float = 1.0

    @classmethod
    def of(
        cls, model: Model, feed: Feed, config: TrainConfig, name: str = "", weight: float = 1.0
    ) -> "Stream":
        """With batches of the size that the configuration says, or that suits how much there is."""
        total = int(feed.lengths.sum())
        tokens = config.batch_tokens or min(BATCH_TOKENS, max(LEAST_TOKENS, total // LEAST_STEPS))
        return cls(model, feed, tokens, name, weight)

    def order(self, seed: int, epoch: int, turn: int = 0) -> list[NDArray[np.int64]]:
        """The rows of each batch of one pass over all of them, in an order of its own."""
        named = (self.name, turn) if self.name else ()
        return plan(self.feed.lengths, self.batch_tokens, generator(seed, "order", epoch, *named))

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """The batch of some rows."""
        return self.feed.batch(rows).to(self.model.device)


Turn = tuple[tuple[Stream, NDArray[np.int64]], ...]  # whose turn it is, and the rows of the batch of each


def turns(streams: Sequence[Stream], temperature: float, seed: int, epoch: int) -> list[Turn]:
    """Whose batch each step of an epoch takes: as many steps as all streams have batches together.

    A stream has turns in proportion to its weight times its batches to the power of 1 / temperature, one
    at least, spread evenly over the epoch. One with more turns than batches begins again, in another
    order; of one with fewer, other batches are left out in each epoch. Source of the temperature: Wang,
    Tsvetkov and Neubig, "Balancing Training for Multilingual Neural Machine Translation", ACL 2020.
    """
    passes = [[stream.order(seed, epoch)] for stream in streams]
    sizes = np.array([len(first) for [first] in passes])
    shares = np.array([stream.weight for stream in streams]) * sizes ** (1 / temperature)
    counts = np.maximum(1, np.rint(sizes.sum() * shares / shares.sum())).astype(int)
    if len(streams) == 1:
        counts = sizes
    for stream, own, count in zip(streams, passes, counts, strict=True):
        while sum(map(len, own)) < count:
            own.append(stream.order(seed, epoch, len(own)))
    placed = [
        ((turn + 0.5) / count, place, rows)
        for place, (own, count) in enumerate(zip(passes, counts, strict=True))
        for turn, rows in enumerate([rows for one in own for rows in one][:count])
    ]
    return [((streams[place], rows),) for _, place, rows in sorted(placed, key=lambda turn: turn[:2])]


def together(streams: Sequence[Stream], seed: int, epoch: int) -> list[Turn]:
    """A batch of every stream in each step of an epoch: as many steps as the stream with most batches has.

    The batches of the others are cut smaller, so that their rows last for the epoch: a small stream that
    began again and again would be known by heart before a large one is learned. One with fewer rows than
    there are steps begins again, in another order.
    """
    first = [stream.order(seed, epoch) for stream in streams]
    steps = max(map(len, first))
    rows = []
    for stream, whole in zip(streams, first, strict=True):
        batches, passes = _cut(whole, steps), 1
        while len(batches) < steps:
            batches += _cut(stream.order(seed, epoch, passes), steps)
            passes += 1
        rows.append(batches[:steps])
    return [tuple(zip(streams, batches, strict=True)) for batches in zip(*rows, strict=True)]


def _cut(batches: Sequence[NDArray[np.int64]], steps: int) -> list[NDArray[np.int64]]:
    """The same rows in as many batches as there are steps, or as they have rows."""
    least, more = divmod(steps, len(batches))
    return [
        part
        for place, batch in enumerate(batches)
        for part in np.array_split(batch, min(least + (place < more), len(batch)))
    ]
