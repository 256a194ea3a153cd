"""What ranks beside the model: the signals of all sources, and a mixer for each task and kind of history."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from intertask.data.sequences import Sequences
from intertask.rankers import ITEM, MODEL, Mixer
from intertask.ranking.untrained import lent
from intertask.signals import Said, Signal
from intertask.signals.likeness import Likeness

History = Literal["masked", "kept"]  # whether items of a history are no candidates, or are
Key = tuple[str, History]


@dataclass(frozen=True)
class Ranker:
    """Signals and what mixes them.

    Args:
        signals: By the names of their sources.
        mixers: For each task and kind of history that had events to learn on.
        without: The same, learned without the model: what counting alone can do.
        idle_I: Items that the model knows nothing of, bool [items], where such are candidates.
    """

    signals: Mapping[str, Signal]
    mixers: Mapping[Key, Mixer]
    without: Mapping[Key, Mixer]
    idle_I: NDArray[np.bool_] | None = None

    def mixer(self, task: str, history: History) -> Mixer | None:
        """The mixer of a task, if need be for the other kind of history; None if the model ranks alone."""
        other: History = "kept" if history == "masked" else "masked"
        return self.mixers.get((task, history), self.mixers.get((task, other)))

    @property
    def scores(self) -> dict[str, Signal]:
        """The signals that score items; the others are facts about them."""
        return {name: own for name, own in self.signals.items() if not name.startswith(ITEM)}

    @staticmethod
    def reads(mixer: Mixer) -> list[str]:
        """The tasks whose scores a mixer reads."""
        return [name.removeprefix(MODEL) for name in mixer.columns if name.startswith(MODEL)]

    def say(self, mixer: Mixer, histories: Sequences, logits: Mapping[str, Said]) -> dict[str, Said]:
        """All that a mixer reads.

        Args:
            mixer: Says what it reads.
            histories: Whose next item is asked for.
            logits: Of the tasks that it reads, float32 [histories, items].
        """
        said: dict[str, Said] = {}
        for name in mixer.columns:
            task = name.removeprefix(MODEL)
            if name.startswith(MODEL):
                said[name] = neutral(logits[task], self.idle_I)
            else:
                said[name] = self.signals[name].say(histories)
        return said if self.idle_I is None else lent(said, self.signals, histories, self.idle_I)

    def after(self, log: Sequences, new: NDArray[np.bool_]) -> "Ranker":
        """The same ranker, its signals with new events counted."""
        return replace(self, signals={name: own.after(log, new) for name, own in self.signals.items()})

    def grown(self, num_items: int, content_IF: NDArray[np.float32] | None = None) -> "Ranker":
        """The same ranker of so many items: what counts says nothing of new ones, model and content do.

        Args:
            num_items: Those so far first.
            content_IF: The content of all of them as directions; None where the model reads none.
        """
        signals = {name: own.grown(num_items) for name, own in self.signals.items()}
        if content_IF is not None:
            signals |= {
                name: replace(own, content_IF=content_IF)
                for name, own in signals.items()
                if isinstance(own, Likeness)
            }
        return replace(self, signals=signals)


def neutral(logits: Said, idle_I: NDArray[np.bool_] | None) -> Said:
    """Logits with the mean in the places of items that the model knows nothing of.

    Their vectors are random, or were pushed down by every event of others. A mixture that believed them would
    lose what repeats and neighbours say of such items.
    """
    if idle_I is None or not isinstance(logits, np.ndarray) or not idle_I.any() or idle_I.all():
        return logits
    return np.where(idle_I, logits[:, ~idle_I].mean(1, keepdims=True), logits)
