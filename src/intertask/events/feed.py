"""The training events of a log, window by window."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from intertask.data.batches import training_batch
from intertask.data.seam import Batch
from intertask.data.sequences import Sequences
from intertask.data.windows import beside, training_windows
from intertask.errors import TrainingError
from intertask.events.splits import Split


class EventFeed:
    """Windows of up to max_length + 1 training events, each asked what follows at every event but its last.

    Args:
        sequences: All events.
        split: What of them trains; it has been checked for leakage.
        max_length: Longest history.
        which: "last" window of each user, or "all".

    Raises:
        TrainingError: There is nothing to train on.
    """

    def __init__(
        self, sequences: Sequences, split: Split, max_length: int, which: Literal["last", "all"]
    ) -> None:
        self.sequences = sequences
        self.windows = training_windows(sequences, split.train_stop, max_length, which)
        if len(self.windows) == 0:
            raise TrainingError(
                "training events", "a user with two of them", "none", "use a longer log, or another split"
            )

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Places of each window that are read: its events, and what is known of its user."""
        known = beside(self.sequences, self.windows).values()
        return sum((own.lengths_B.numpy() for own in known), self.windows.lengths - 1)

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """Some windows, with what follows each of their events."""
        return training_batch(self.sequences, self.windows[rows])
