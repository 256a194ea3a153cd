"""Amazon Sports and Outdoors, five-core reviews of 2014: order without times, attribute ids, no text."""

from pathlib import Path
from typing import Literal

from intertask.datasets import DatasetConfig, Loaded, _s3rec


class Config(DatasetConfig):
    """Amazon Sports and Outdoors."""

    kind: Literal["amazon_sports"] = "amazon_sports"

    def load(self, folder: Path) -> Loaded:
        """Reviews in order, items with attribute ids (see `_s3rec`).

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        return _s3rec.load("sports_and_outdoors")
