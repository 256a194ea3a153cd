"""How baselines that count break their ties."""

import numpy as np
from numpy.typing import NDArray

from intertask.data.counts import event_counts
from intertask.data.sequences import Sequences


def tie_breaker(training: Sequences) -> NDArray[np.float32]:
    """Popularity squeezed into 0 to just below 1, float32 [items].

    Evaluation breaks ties against the model, and a baseline that counts leaves most of a catalogue at zero.
    Added in a size below the baseline's own differences, this decides only what would have been a tie.
    """
    counts = event_counts(training)
    most = int(counts.max(initial=0))
    return (counts / (most + 1)).astype(np.float32)
