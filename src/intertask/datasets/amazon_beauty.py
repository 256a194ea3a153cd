"""Amazon Beauty, five-core reviews of 2014: order without times, attribute ids, no text."""

from pathlib import Path
from typing import Literal

from intertask.datasets import DatasetConfig, Loaded, _s3rec


class Config(DatasetConfig):
    """Amazon Beauty."""

    kind: Literal["amazon_beauty"] = "amazon_beauty"

    def load(self, folder: Path) -> Loaded:
        """Reviews in order, items with attribute ids (see `_s3rec`).

        Raises:
            DataError: The files are not below INTERTASK_DATA.
        """
        return _s3rec.load("beauty")
