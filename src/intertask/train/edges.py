"""Edges between tasks that do not help on held-out data are closed for good.

An edge is a task that reads another slot. With the rest of the model as it is, the reader answers the
calibration targets once with the edge and once without. Of the edges for which a paired bootstrap over users
does not say that it is better with them, the one that brings least is closed, and the others are judged
again: two that say the same are both useless beside each other, and one of them is needed. Which edges there
are is the mechanism's to say.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from intertask.metrics.bootstrap import SIGNIFICANT, difference_intervals
from intertask.model import Model

OPEN_TS = "communication.open_TS"  # the weight that holds 1 for an open edge, 0 for a closed one

# How well each calibration target of a task was answered, higher is better, and the user who owns it; None
# where the task has no such target.
Judge = Callable[[Model, str], tuple[NDArray[np.float64], NDArray[np.int64]] | None]


@dataclass(frozen=True)
class Verdict:
    """What was found of one edge.

    Args:
        reader: The task.
        source: The task that it reads, or "shared 1" and so on.
        gain: Of the reader's mean quality by the edge.
        low: Lower end of its interval.
        high: Upper end.
        closed: Whether it was closed.
    """

    reader: str
    source: str
    gain: float
    low: float
    high: float
    closed: bool

    def line(self) -> dict[str, object]:
        """For the journal."""
        return asdict(self)


def has_edges(model: Model) -> bool:
    """Whether the mechanism between the tasks has edges that may be closed."""
    config = model.config.communication
    return bool(getattr(config, "close_edges", False)) and len(model.attached) > 1


def close_useless(model: Model, judge: Judge, seed: int) -> list[Verdict]:
    """Close edges of each task, the least useful first, until those that are left help.

    Args:
        model: In evaluation mode; its edges are changed in place.
        judge: Says how well the model answers for a task.
        seed: Of the bootstrap.

    Returns:
        The last verdict on each edge that was open.
    """
    verdicts: list[Verdict] = []
    for place, reader in enumerate(model.attached):
        if reader in model.config.tasks:  # another is of another stream, whose judge knows it
            verdicts += _close_of(model, judge, seed, place)
    return verdicts


def _close_of(model: Model, judge: Judge, seed: int, place: int) -> list[Verdict]:
    """The same for one reader."""
    open_S, reader = edges(model)[place], model.attached[place]
    closed: list[Verdict] = []
    found = judge(model, reader)
    while found is not None:  # nothing is known of it: its edges stay
        verdicts, answers = {}, {}
        for source, title in enumerate(slots(model)):
            if source == place or open_S[source] == 0:
                continue
            open_S[source] = 0.0
            answers[source] = without = judge(model, reader)
            open_S[source] = 1.0
            assert without is not None
            gain = difference_intervals(
                found[0][:, None], without[0][:, None], found[1], np.random.default_rng(seed)
            )
            helps = bool(gain.lows[0] > 0 and gain.p_values[0] < SIGNIFICANT)
            ends = float(gain.values[0]), float(gain.lows[0]), float(gain.highs[0])
            verdicts[source] = Verdict(reader, title, *ends, closed=not helps)
        useless = [source for source, verdict in verdicts.items() if verdict.closed]
        if not useless:
            return closed + list(verdicts.values())
        least = min(useless, key=lambda source: verdicts[source].gain)
        open_S[least], found = 0.0, answers[least]
        closed.append(verdicts[least])
    return closed


def closed(model: Model) -> dict[str, list[str]]:
    """Which slots each task no longer reads, by name; tasks that read all are left out."""
    found = {}
    for reader, row in zip(model.attached, edges(model).tolist(), strict=True):
        if reader not in model.config.tasks:
            continue
        names = [name for name, there in zip(slots(model), row, strict=True) if not there]
        if names:
            found[reader] = names
    return found


def slots(model: Model) -> list[str]:
    """Names of the slots that may be read: the tasks that take part, then the shared ones."""
    shared = edges(model).shape[1] - len(model.attached)
    return model.attached + [f"shared {number + 1}" for number in range(shared)]


def edges(model: Model) -> Tensor:
    """The open edges of a model, 1 or 0, from the reader's row to the source's column; a view."""
    found = model.get_parameter(OPEN_TS)
    assert not found.requires_grad
    return found.detach()


def switches(models: nn.Module) -> dict[str, Tensor]:
    """The edges of one model or several as they are, by the names of their weights."""
    return {
        name: weight.detach().clone() for name, weight in models.named_parameters() if name.endswith(OPEN_TS)
    }


def copy_edges(source: Tensor, *targets: Tensor) -> None:
    """The same edges elsewhere."""
    with torch.no_grad():
        for target in targets:
            target.copy_(source)
