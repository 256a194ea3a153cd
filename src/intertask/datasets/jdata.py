"""JData, the small sample of MKM-SR: three days of a shop with browsing, orders, follows and comments.

From INTERTASK_DATA only; no terms are stated, so for local use. Source: Meng et al., "Incorporating User
Micro-behaviors and Item Knowledge into Multi-task Learning for Session-based Recommendation", SIGIR 2020.
"""

from pathlib import Path
from typing import Literal

import polars as pl

from intertask.data import fetch
from intertask.data.event_log import EventLog
from intertask.datasets import DatasetConfig, Loaded

_ORIGIN = "the repository of MKM-SR (data/demo)"

# The codes of the JData competition; the sample itself does not explain them and has no 5.
_BEHAVIOURS = {1: "browse", 2: "order", 3: "follow", 4: "comment", 5: "cart"}


class Config(DatasetConfig):
    """JData, all events of a user in one sequence, with exact times.

    Args:
        parts: "all": the published training part and the test part with new items, which holds the other
            test part whole; "train": the training part alone.
    """

    kind: Literal["jdata"] = "jdata"
    parts: Literal["all", "train"] = "all"

    def load(self, folder: Path) -> Loaded:
        """Events with times, `session` kept; no catalogue.

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        names = ("train.parquet", "test_new_item.parquet")[: 2 if self.parts == "all" else 1]
        place = fetch.require_local("jdata-mkmsr-demo", names, _ORIGIN)
        frame = pl.concat([pl.read_parquet(place / name) for name in names])
        behaviour = pl.col("type").replace_strict(_BEHAVIOURS, return_dtype=pl.String)
        events = EventLog.read(
            frame.select(
                pl.col("user_id").alias("user"),
                pl.col("sku_id").alias("item"),
                behaviour.alias("behaviour"),
                pl.col("action_time").alias("time"),
                pl.col("sessionId").alias("session"),
            ),
            time="time",
            behaviour="behaviour",
            keep=["session"],
            name=self.kind,
        )
        return Loaded(events, None)
