"""Stretches of the flat arrays: a user's history before a target, or what training reads at once.

Knows places of events and nothing of what stands there.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from intertask.data.sequences import Sequences

if TYPE_CHECKING:  # it knows tensors, which these arrays do without
    from intertask.data.seam import RowFields


@dataclass(frozen=True)
class Windows:
    """Stretches of the flat arrays: window n is the events starts[n] to stops[n]."""

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, rows: NDArray[np.int64] | slice) -> "Windows":
        return Windows(self.starts[rows], self.stops[rows])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Events in each window."""
        return self.stops - self.starts

    def places(self) -> NDArray[np.int64]:
        """The places of all events of all windows, one window behind the other."""
        lengths = self.lengths
        shifts = np.repeat(self.starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        places: NDArray[np.int64] = np.arange(len(shifts)) + shifts
        return places


def histories_before(
    sequences: Sequences, targets: NDArray[np.int64], max_length: int | None = None
) -> Windows:
    """For each target event, what its user did before it; the last `max_length` events of it."""
    starts = sequences.offsets[sequences.users_of(targets)]
    return Windows(starts if max_length is None else np.maximum(starts, targets - max_length), targets)


def training_windows(
    sequences: Sequences, train_stop: NDArray[np.int64], max_length: int, which: Literal["last", "all"]
) -> Windows:
    """Windows of up to max_length + 1 training events, each event but the first of a window a target.

    Args:
        sequences: All events.
        train_stop: int64 [users], where each user's training events end.
        max_length: Longest history.
        which: "last": the end of each user's training events; "all": long users are cut into several
            windows, from the end, so that every event but a user's first is a target once.
    """
    first, last = sequences.offsets[:-1], train_stop
    if which == "last":
        starts, stops = np.maximum(first, last - max_length - 1), last
    else:
        pieces = np.maximum(1, -(-(last - first - 1) // max_length))
        users = np.repeat(np.arange(sequences.num_users), pieces)
        piece = np.arange(len(users)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        stops = last[users] - piece * max_length
        starts = np.maximum(first[users], stops - max_length - 1)
    long_enough = stops - starts >= 2
    return Windows(starts[long_enough], stops[long_enough])


def cut_out(sequences: Sequences, windows: Windows) -> Sequences:
    """The windows as sequences of their own, one for each window; item and behaviour codes stay."""
    places = windows.places()
    return Sequences(
        offsets=np.concatenate([[0], np.cumsum(windows.lengths)]),
        items=sequences.items[places],
        behaviours=sequences.behaviours[places],
        times=None if sequences.times is None else sequences.times[places],
        num_items=sequences.num_items,
        num_behaviours=sequences.num_behaviours,
        labels={name: label[places] for name, label in sequences.labels.items()},
        beside=beside(sequences, windows),
    )


def beside(sequences: Sequences, windows: Windows) -> dict[str, "RowFields"]:
    """What inputs beside the events read of the user of each window."""
    if not sequences.beside:
        return {}
    # A window without events may begin where all events end.
    users = sequences.users_of(windows.starts).clip(0, sequences.num_users - 1)
    return {name: own.take(users) for name, own in sequences.beside.items()}
