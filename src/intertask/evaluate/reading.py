"""Whom the tasks of a model hear. Only mechanisms that attend to tasks and gate what they hear can tell."""

import numpy as np
import torch

from intertask.communication.gated_slots import Communication as Slots
from intertask.config import Config
from intertask.data.batches import history_batch, plan
from intertask.data.sequences import Sequences
from intertask.data.windows import Windows
from intertask.model import Model

USERS, TOKENS = 2_000, 4_096


class Reading(Config):
    """Whom each task hears, mean over the last positions of some histories."""

    readers: list[str]
    sources: list[str]  # the tasks, itself among them, the shared slots, nothing
    shares: list[list[float]]  # readers x sources; a row sums to one
    gates: list[float]  # how far each reader's output gate is open


def reading(model: Model, histories: Sequences) -> Reading | None:
    """Whom the tasks hear after the last events of the first users; None where the mechanism cannot tell.

    Args:
        model: In evaluation mode.
        histories: The users' events.
    """
    if not isinstance(model.communication, Slots):
        return None
    windows = Windows(histories.offsets[:-1], histories.offsets[1:])
    windows = windows[np.flatnonzero(windows.lengths > 0)[:USERS]]
    recent = Windows(np.maximum(windows.starts, windows.stops - model.config.max_length), windows.stops)
    shares, gates = [], []
    with torch.no_grad():
        for rows in plan(recent.lengths, TOKENS, None):
            batch = history_batch(histories, recent[rows]).to(model.device)
            heard = model.communication.exchange(model.trunk(batch))
            places, last = torch.arange(len(rows), device=model.device), batch.lengths_B - 1
            shares.append(heard.shares_BLTS[places, last])
            gates.append(heard.gates_BLTD[places, last].mean(-1))
    sources = [
        *model.attached,
        *(f"shared {number + 1}" for number in range(model.communication.config.num_shared)),
    ]
    return Reading(
        readers=model.attached,
        sources=[*sources, "nothing"] if model.communication.config.nothing else sources,
        shares=torch.cat(shares).mean(0).tolist(),
        gates=torch.cat(gates).mean(0).tolist(),
    )
