"""What each task of a model reads of the others. Known only of mechanisms that mix by shares."""

import numpy as np
import torch

from intertask.communication import Tells
from intertask.data.batches import TOKENS, history_batch, plan
from intertask.data.sequences import Sequences
from intertask.data.windows import Windows
from intertask.evaluate.reading import Reading
from intertask.events.beside import known_by
from intertask.model import Model

USERS = 2_000


def reading(model: Model, histories: Sequences) -> Reading | None:
    """What the tasks read after the last events of the first users; None where the mechanism has no shares.

    Tasks of another stream are sources alone: of these users nobody asks them.

    Args:
        model: In evaluation mode.
        histories: The users' events.
    """
    if not isinstance(model.communication, Tells):
        return None
    histories = known_by(model, histories)
    windows = Windows(histories.offsets[:-1], histories.offsets[1:])
    windows = windows[np.flatnonzero(windows.lengths > 0)[:USERS]]
    recent = Windows(np.maximum(windows.starts, windows.stops - model.config.max_length), windows.stops)
    shares, gates = [], []
    with torch.no_grad():
        for rows in plan(recent.lengths, TOKENS, None):
            batch = history_batch(histories, recent[rows]).to(model.device)
            encoded = model.trunk(batch)
            heard = model.communication.exchange(*encoded.parts)
            places, last = torch.arange(len(rows)), encoded.layout.real_places_B(encoded.hidden_BLD).cpu() - 1
            shares.append(heard.shares_BLTS[places, last])
            gates.append(heard.gates_BLT[places, last])
    own = [place for place, name in enumerate(model.attached) if name in model.config.tasks]
    return Reading(
        readers=[model.attached[place] for place in own],
        sources=[*model.attached, *model.communication.further],
        shares=torch.cat(shares).mean(0)[own].tolist(),
        gates=torch.cat(gates).mean(0)[own].tolist(),
    )
