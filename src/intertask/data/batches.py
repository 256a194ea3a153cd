"""Windows of sequences as padded tensors, and which windows share a batch.

Padding stands on the right: a causal encoder never sees it from a real position, so there is no padding
mask and no padding item. Knows nothing of models.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.seam import EVERY_TASK, INPUT, Batch
from intertask.data.sequences import Sequences
from intertask.data.windows import Windows, beside

TOKENS = 4096  # positions in a batch; four times as many leave the cache, which costs a third more


@dataclass(frozen=True)
class Events:
    """Events at every position, padded with zeros after each row's length.

    Args:
        items_BL: int64.
        behaviours_BL: int64.
        times_BL: int64 seconds; None without a clock.
        lengths_B: int64, events in each history, at least one.
        query_times_BL: int64 seconds, for each position the moment about which it is asked: in training
            that of the next event. None without a clock.
    """

    items_BL: Tensor
    behaviours_BL: Tensor
    times_BL: Tensor | None
    lengths_B: Tensor
    query_times_BL: Tensor | None = None

    def to(self, device: torch.device) -> "Events":
        """The same on another device."""
        return Events(
            self.items_BL.to(device),
            self.behaviours_BL.to(device),
            None if self.times_BL is None else self.times_BL.to(device),
            self.lengths_B.to(device),
            None if self.query_times_BL is None else self.query_times_BL.to(device),
        )


@dataclass(frozen=True)
class Following:
    """The event after each position, of which every task of a log asks something.

    Args:
        items_BL: int64.
        behaviours_BL: int64.
        labels: Name -> float32 [B, L]; NaN where the label is missing.
        mask_BL: Where there is such an event.
    """

    items_BL: Tensor
    behaviours_BL: Tensor
    labels: Mapping[str, Tensor]
    mask_BL: Tensor

    def to(self, device: torch.device) -> "Following":
        """The same on another device."""
        return Following(
            self.items_BL.to(device),
            self.behaviours_BL.to(device),
            {name: label.to(device) for name, label in self.labels.items()},
            self.mask_BL.to(device),
        )


def training_batch(sequences: Sequences, windows: Windows) -> Batch:
    """Histories and what followed each of their events."""
    lengths = windows.lengths - 1
    read, follows = (_Places(windows.starts + shift, lengths) for shift in (0, 1))
    times = sequences.times
    events = Events(
        read.take(sequences.items, np.int64),
        read.take(sequences.behaviours, np.int64),
        None if times is None else read.take(times, np.int64),
        torch.from_numpy(lengths),
        None if times is None else follows.take(times, np.int64),
    )
    following = Following(
        follows.take(sequences.items, np.int64),
        follows.take(sequences.behaviours, np.int64),
        {name: follows.take(label, np.float32) for name, label in sequences.labels.items()},
        torch.from_numpy(follows.real),
    )
    return Batch({**beside(sequences, windows), INPUT: events}, {EVERY_TASK: following})


def history_batch(
    sequences: Sequences, windows: Windows, query_times: NDArray[np.int64] | None = None
) -> Batch:
    """Histories alone, to be asked at their last event.

    Args:
        sequences: The events.
        windows: One window for each history, at least one event each.
        query_times: int64 [histories] seconds, the moment of each request; the last event's where None.
    """
    lengths = windows.lengths
    read = _Places(windows.starts, lengths)
    events = Events(
        read.take(sequences.items, np.int64),
        read.take(sequences.behaviours, np.int64),
        None if sequences.times is None else read.take(sequences.times, np.int64),
        torch.from_numpy(lengths),
    )
    known = beside(sequences, windows)
    if events.times_BL is None:
        return Batch({**known, INPUT: events}, {})
    query_BL = torch.cat([events.times_BL[:, 1:], torch.zeros_like(events.times_BL[:, :1])], dim=1)
    last = (events.lengths_B - 1)[:, None]
    asked = events.times_BL.gather(1, last)
    if query_times is not None:
        asked = torch.maximum(torch.from_numpy(query_times)[:, None], asked)
    events = replace(events, query_times_BL=query_BL.scatter(1, last, asked))
    return Batch({**known, INPUT: events}, {})


def plan(
    lengths: NDArray[np.int64], tokens: int, random: np.random.Generator | None
) -> list[NDArray[np.int64]]:
    """Which rows share a batch: rows of like length, so that little is padded.

    Args:
        lengths: int64 [rows].
        tokens: Most positions in a batch, padding included; one row at least.
        random: Shuffles rows of like length, and the batches; None keeps rows sorted by length.
    """
    if random is None:
        order = np.argsort(lengths, kind="stable")
    else:  # 12 % of width is what a batch may waste on padding, for rows to meet ever other rows
        jitter = lengths * random.uniform(0.88, 1.0, len(lengths))
        order = np.argsort(jitter, kind="stable")
    batches = list(_cut(lengths[order], order, tokens))
    if random is not None:
        batches = [batches[place] for place in random.permutation(len(batches))]
    return batches


def _cut(lengths: NDArray[np.int64], order: NDArray[np.int64], tokens: int) -> Iterator[NDArray[np.int64]]:
    start, longest = 0, 0
    for row, length in enumerate(lengths.tolist()):
        longest = max(longest, length)
        if row > start and (row + 1 - start) * longest > tokens:
            yield order[start:row]
            start, longest = row, length
    if start < len(order):
        yield order[start:]


class _Places:
    """Stretches of the flat arrays, one for each row of a batch.

    Attributes:
        real: bool [B, L], where a row has an event.
    """

    def __init__(self, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        steps = np.arange(lengths.max(initial=0))
        self.real: NDArray[np.bool_] = steps < lengths[:, None]
        self.places = np.where(self.real, starts[:, None] + steps, 0)

    def take(self, array: NDArray[np.generic], dtype: type[np.generic]) -> Tensor:
        """What stands there, zero where there is no event, [B, L]."""
        return torch.from_numpy(np.where(self.real, array[self.places], 0).astype(dtype))
