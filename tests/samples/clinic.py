"""A small table of patients of four hospitals, whose answers are known."""

import numpy as np
import polars as pl

from intertask.data.rows import Rows

HOSPITALS = ("north", "south", "east", "west")
ROLES = {"labels": ["ill", "days"], "group": "hospital", "time": "seen"}


def patients(count: int = 240, seed: int = 0) -> pl.DataFrame:
    """Illness follows from age and from one of the pains; days of stay from illness."""
    random = np.random.default_rng(seed)
    age = random.normal(55, 12, count).round(1)
    pain = random.choice(["none", "mild", "strong"], count)
    drawn = random.random(count) < 1 / (1 + np.exp(-((age - 55) / 4 + np.where(pain == "strong", 3, -1))))
    return pl.DataFrame(
        {
            "age": age,
            "pain": pain,
            "noise": random.normal(size=count),
            "hospital": [HOSPITALS[place % 4] for place in range(count)],
            "seen": pl.Series(np.arange(count) * 86_400 + 1_600_000_000).cast(pl.Int64),
            "ill": np.where(drawn, "yes", "no"),
            "days": np.where(drawn, 9.0, 2.0) + random.normal(size=count),
        }
    ).with_columns(pl.when(pl.int_range(pl.len()) % 9 == 0).then(None).otherwise("age").alias("age"))


def clinic(count: int = 240, seed: int = 0) -> Rows:
    """The same as rows."""
    return Rows.read(patients(count, seed), **ROLES)  # type: ignore[arg-type]
