"""MovieLens-1M as SASRec, BERT4Rec and gSASRec order it: 999,611 ratings, 3,416 films, 6,040 people.

From INTERTASK_DATA or GroupLens; never committed (see `_movielens`).
"""

from pathlib import Path
from typing import Literal

import polars as pl

from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog
from intertask.datasets import DatasetConfig, Loaded
from intertask.datasets._movielens import by_rating, folder_1m, people_of


class Config(DatasetConfig):
    """MovieLens-1M, the SASRec track.

    Ratings of films with fewer than five ratings are left out (598); a person's ratings are ordered by
    time, equal times by file order, which reproduces the published sequences exactly.

    Args:
        behaviours: "one": every rating is the behaviour "rate"; "by_rating": "dislike" (1 and 2), "neutral"
            (3), "like" (4 and 5).
        times: Use the timestamps as well. Only right for the publisher's own file: in the assembled copy
            that a local folder may hold, about a third of them are interpolated, so results that use the
            time between events are not MovieLens-1M results.
    """

    kind: Literal["movielens_1m"] = "movielens_1m"
    behaviours: Literal["one", "by_rating"] = "one"
    times: bool = False

    def load(self, folder: Path) -> Loaded:
        """Ratings in order, films with titles, genres, and plots where they are there.

        Raises:
            DataError: The files can be had from nowhere.
        """
        place = folder_1m(folder)
        ratings = pl.read_parquet(place / "ratings.parquet").filter(pl.col("time_rank").is_not_null())
        # Sorted, so that with times, too, equal ones fall back on the published order.
        ratings = ratings.sort("user_id", "time_rank").with_columns(by_rating(self.behaviours))
        events = EventLog.read(
            ratings,
            user="user_id",
            item="item_id",
            time="timestamp" if self.times else None,
            order=None if self.times else "time_rank",
            behaviour="behaviour",
            labels=["rating"],
            name=self.kind,
        )
        items, text = pl.read_parquet(place / "items.parquet"), ["title"]
        if (place / "items_extra.parquet").is_file():
            plots = pl.read_parquet(place / "items_extra.parquet", columns=["item_id", "plot"])
            items, text = (
                items.join(plots, on="item_id", how="left", maintain_order="left"),
                ["title", "plot"],
            )
        return Loaded(
            events,
            Catalogue.read(items, item="item_id", text=text, tags=["genres"], name=self.kind),
            people_of(place, ["gender", "age_code", "occupation_code"], []),
        )
