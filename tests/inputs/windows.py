"""Small windows whose class can be seen: a wave is slow or fast."""

import numpy as np
import polars as pl

from intertask.data.rows import Rows


def waves(count: int = 40, length: int = 16, seed: int = 0) -> Rows:
    random = np.random.default_rng(seed)
    fast = np.arange(count) % 2 == 1
    angles = np.arange(length) * np.where(fast, 1.6, 0.4)[:, None] + random.random((count, 1)) * 6
    values = np.sin(angles) + 0.1 * random.normal(size=(count, length))
    columns = [f"volts[{place}]" for place in range(length)]
    frame = pl.DataFrame(values, schema=columns)
    frame = frame.with_columns(pl.Series("wave", np.where(fast, "fast", "slow")))
    return Rows.read(frame, labels=["wave"], numbers=columns, categories=[])
