"""Windows of sequences as padded tensors, and which windows share a batch.

Padding stands on the right: a causal encoder never sees it from a real position, so there is no padding
mask and no padding item. Knows nothing of models.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.data.sequences import Sequences
from intertask.data.windows import Windows

TOKENS = 4096  # positions in a batch; four times as many leave the cache, which costs a third more


@dataclass(frozen=True)
class Events:
    """Events at every position, padded with zeros after each row's length.

    Shapes: items_BL, behaviours_BL int64; times_BL int64 seconds or None; labels name -> float32 [B, L].
    """

    items_BL: Tensor
    behaviours_BL: Tensor
    times_BL: Tensor | None
    labels: Mapping[str, Tensor]


@dataclass(frozen=True)
class Batch:
    """What a model is given.

    Args:
        events: The histories.
        lengths_B: int64, events in each history, at least one.
        query_times_BL: int64 seconds, for each position the moment about which it is asked: in training
            that of the next event. None without a clock.
        following: The event after each position, in training; None at inference.
        mask_BL: Where there is such an event, in training.
    """

    events: Events
    lengths_B: Tensor
    query_times_BL: Tensor | None = None
    following: Events | None = None
    mask_BL: Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """The batch on another device."""

        def move(events: Events) -> Events:
            times = None if events.times_BL is None else events.times_BL.to(device)
            labels = {name: label.to(device) for name, label in events.labels.items()}
            return Events(events.items_BL.to(device), events.behaviours_BL.to(device), times, labels)

        return Batch(
            move(self.events),
            self.lengths_B.to(device),
            None if self.query_times_BL is None else self.query_times_BL.to(device),
            None if self.following is None else move(self.following),
            None if self.mask_BL is None else self.mask_BL.to(device),
        )


def training_batch(sequences: Sequences, windows: Windows) -> Batch:
    """Histories and what followed each of their events."""
    lengths = windows.lengths - 1
    following = _gather(sequences, windows.starts + 1, lengths)
    mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
    return Batch(
        events=_gather(sequences, windows.starts, lengths),
        lengths_B=torch.from_numpy(lengths),
        query_times_BL=following.times_BL,
        following=following,
        mask_BL=torch.from_numpy(mask),
    )


def history_batch(
    sequences: Sequences, windows: Windows, query_times: NDArray[np.int64] | None = None
) -> Batch:
    """Histories alone, to be asked at their last event.

    Args:
        sequences: The events.
        windows: One window for each history, at least one event each.
        query_times: int64 [histories] seconds, the moment of each request; the last event's where None.
    """
    events = _gather(sequences, windows.starts, windows.lengths)
    lengths = torch.from_numpy(windows.lengths)
    if events.times_BL is None:
        return Batch(events, lengths)
    query_BL = torch.cat([events.times_BL[:, 1:], torch.zeros_like(events.times_BL[:, :1])], dim=1)
    last = (lengths - 1)[:, None]
    asked = events.times_BL.gather(1, last)
    if query_times is not None:
        asked = torch.maximum(torch.from_numpy(query_times)[:, None], asked)
    return Batch(events, lengths, query_BL.scatter(1, last, asked))


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


def _gather(sequences: Sequences, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Events:
    steps = np.arange(lengths.max(initial=0))
    real = steps < lengths[:, None]
    places = np.where(real, starts[:, None] + steps, 0)

    def take(array: NDArray[np.generic], dtype: type[np.generic]) -> Tensor:
        return torch.from_numpy(np.where(real, array[places], 0).astype(dtype))

    return Events(
        items_BL=take(sequences.items, np.int64),
        behaviours_BL=take(sequences.behaviours, np.int64),
        times_BL=None if sequences.times is None else take(sequences.times, np.int64),
        labels={name: take(label, np.float32) for name, label in sequences.labels.items()},
    )
