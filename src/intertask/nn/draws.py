"""Random numbers of a part of its own, so that what is drawn for one part moves nothing of the others."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from intertask.options.seeds import derive


@contextmanager
def drawn_apart(name: str, device: torch.device | None = None) -> Iterator[None]:
    """Inside of the block torch draws from the seed that it was given last and this name.

    After it the generator is as it was.

    Args:
        name: Of the part.
        device: Where numbers are drawn, beside the CPU.
    """
    seed = derive(torch.initial_seed(), name)
    with torch.random.fork_rng(devices=[device] if device is not None and device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
