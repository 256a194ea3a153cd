"""Named seeds: one number in the recipe, one independent stream for each purpose.

`derive(seed, "dropout", step)` depends on its arguments alone, so that nothing changes with the number
of workers, the batch size, or the moment at which a run was stopped and resumed.
"""

import hashlib

import numpy as np

LIMIT = 2**63  # of the seeds that a recipe may have


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for one named purpose, the same on every machine."""
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator for one named purpose."""
    return np.random.default_rng(derive(seed, *names))
